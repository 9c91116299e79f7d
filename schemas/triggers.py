"""What webhooks can be subscribed to, in the words of the App Session API."""

from enum import StrEnum


class Trigger(StrEnum):
    STATE_CHANGE = "bot.state_change"
    RECORDING = "recording.state_change"
    """Of ours: the recording was paused or goes on, which is no other state of the session."""

    TRANSCRIPT = "transcript.update"
    JOIN_LEAVE = "participant_events.join_leave"
    SPEECH = "participant_events.speech_start_stop"
    CHAT = "chat_messages.update"
    ASYNC_TRANSCRIPTION = "async_transcription.state_change"
    BOT_LOGS = "bot_logs.update"
    CALENDAR_EVENTS = "calendar.events_update"
    CALENDAR_STATE = "calendar.state_change"
    ZOOM_OAUTH = "zoom_oauth_connection.state_change"


PING = "webhook.ping"
"""What a test of a subscription sends; nobody subscribes to it."""
