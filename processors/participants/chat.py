"""What is written in the chat: Zoom's operations in, messages out, and how they change.

A message is known by the id that Zoom gives it, so one that is announced again, by another connection too, says nothing
new; changed or deleted it is told again, as of when it was written, with a higher revision. A message from before the
first connection is there once it is changed. Reactions are no messages and not told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

from processors.checkpoint.folds import Json, known_fields
from processors.checkpoint.windows import Observed
from processors.participants.chat_details import additional_of, is_private, text_of
from schemas import chat_messages, ids
from schemas.chat_messages import EVERYONE, PRIVATE, ChatDetails, Revised
from schemas.participant_events import CHAT_MESSAGE, CHAT_MESSAGE_DELETED
from schemas.records import Chat, MediaRecord, RecordKind
from schemas.topics import CHAT

NEW, UPDATE, DELETE = "new", "update", "delete"

MAX_NAME_CHARACTERS = 128

MAX_MESSAGES = 5000
FORGOTTEN_AT_ONCE = 500
"""How many messages of a session are remembered, in its state and without their words; the oldest are forgotten. A
change that comes after that is told as of when it was made."""


@dataclass(frozen=True, slots=True)
class Message:
    """What became of a message, to be written."""

    event: str
    event_id: str
    participant_id: int
    participant_name: str | None = field(repr=False)
    timestamp_ms: int
    details: str = field(repr=False)


class Known(NamedTuple):
    """What is remembered of a message: when it was written, what tells its words from others ("" once it is deleted),
    and whether it ever was private."""

    written_ms: int
    said: str
    is_private: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """The chat as of some record: by message id the JSON of a `Known`. `is_crowded`: something is forgotten.

    `count` is how much was told, and the next revision: so revisions grow, whatever is forgotten.
    """

    messages: Mapping[str, list[Any]] = field(default_factory=dict)
    is_crowded: bool = False
    count: int = 0

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(**known_fields(cls.__dataclass_fields__, value)) if value else cls()

    def to_json(self) -> dict[str, Any]:
        return {"messages": self.messages, "is_crowded": self.is_crowded, "count": self.count}

    def get(self, message_id: str) -> Known | None:
        known = self.messages.get(message_id)
        return None if known is None else Known(*known)

    def telling(self, message_id: str, known: Known) -> Self:
        """With the message as it is now, as far as there is room."""
        messages, is_crowded = {**self.messages, message_id: list(known)}, self.is_crowded
        if len(messages) > MAX_MESSAGES:
            for oldest in sorted(messages, key=lambda one: (messages[one][0], one))[:FORGOTTEN_AT_ONCE]:
                del messages[oldest]
            is_crowded = True
        return replace(self, messages=messages, is_crowded=is_crowded, count=self.count + 1)


def observed(part: Json, record: MediaRecord) -> Observed:
    """What a record of the chat topic does to the conversation in `part`, and what is to be told of it."""
    conversation = Conversation.from_json(part)
    if record.kind is RecordKind.END:
        return Observed(Conversation(count=conversation.count).to_json())
    if not isinstance(record, Chat) or record.kind is not RecordKind.FRAME:
        return Observed(part)
    message_id = _message_id(record)
    known = _known(conversation.get(message_id), record, conversation.is_crowded)
    if known is None:
        return Observed(part)
    message = _message(Revised(message_id, conversation.count), known, record)
    return Observed(conversation.telling(message_id, known).to_json(), (message,))


def _message_id(record: Chat) -> str:
    """By Zoom's id of the message; by its place, where Zoom gave it none."""
    if record.message_id:
        return ids.chat_message_id(record.session_id, record.message_id)
    return ids.record_id(ids.CHAT_MESSAGE_PREFIX, record.session_id, CHAT.name, record.epoch, record.sequence)


def _known(before: Known | None, record: Chat, is_crowded: bool) -> Known | None:
    """The message after the record; None where that says nothing new."""
    if record.operation not in (NEW, UPDATE, DELETE):
        return None
    is_deletion = record.operation == DELETE
    said = "" if is_deletion else ids.derived("", record.text, record.details)
    if before is None:
        is_ours = is_crowded or not is_deletion
        return Known(record.timestamp_ms, said, is_private(record)) if is_ours else None
    if record.operation == NEW or before.said in ("", said):
        return None
    return Known(before.written_ms, said, before.is_private or is_private(record))


def _message(revised: Revised, known: Known, record: Chat) -> Message:
    name = record.participant_name
    to = PRIVATE if known.is_private else EVERYONE
    details = ChatDetails(text=text_of(record), to=to, additional=additional_of(record))
    if not known.said:
        details = chat_messages.emptied(to)
    return Message(
        event=CHAT_MESSAGE if known.said else CHAT_MESSAGE_DELETED,
        event_id=chat_messages.event_id(revised),
        participant_id=record.participant_id,
        participant_name=None if name is None else name[:MAX_NAME_CHARACTERS],
        timestamp_ms=known.written_ms,
        details=chat_messages.dumps(details),
    )
