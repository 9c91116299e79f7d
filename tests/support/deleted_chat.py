"""What becomes of the chat messages that were deleted in the meeting: their words are taken away."""

from collections.abc import Iterable
from dataclasses import replace

from schemas import chat_messages
from schemas.chat_messages import ChatDetails
from schemas.participant_events import CHAT_MESSAGE, CHAT_MESSAGE_DELETED
from schemas.records import ParticipantEvent


def settled(events: Iterable[ParticipantEvent]) -> list[ParticipantEvent]:
    """The events as they are left: on the topic behind those that the participants processor wrote, and as rows."""
    written = list(events)
    deleted = {_message(event) for event in written if event.event == CHAT_MESSAGE_DELETED}
    return [
        _emptied(event) if event.event == CHAT_MESSAGE and _message(event) in deleted else event for event in written
    ]


def _message(event: ParticipantEvent) -> str:
    return chat_messages.revised(event.event_id).message_id


def _emptied(event: ParticipantEvent) -> ParticipantEvent:
    left = ChatDetails(to=chat_messages.readable(event.details).to, additional={"is_deleted": True})
    return replace(event, details=chat_messages.dumps(left))
