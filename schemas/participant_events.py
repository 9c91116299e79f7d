"""What participants do, as `participant-events` and its readers name it. Pure.

`speech_start` and `speech_stop` are there only in sessions that asked for them. `schemas.chat_messages` says how
several `chat_message`s and a `chat_message_deleted` are one message.
"""

JOIN = "join"
LEAVE = "leave"
SPEECH_START = "speech_start"
SPEECH_STOP = "speech_stop"
CHAT_MESSAGE = "chat_message"
CHAT_MESSAGE_DELETED = "chat_message_deleted"

PRESENCE = (JOIN, LEAVE)
SPEECH = (SPEECH_START, SPEECH_STOP)
CHAT = (CHAT_MESSAGE, CHAT_MESSAGE_DELETED)
