"""What the records of participant events amount to for those who read them live. Pure."""

from dataclasses import replace

from api.chat_messages import messages
from api.feeds.cursors import Cursor
from api.feeds.events import Event, event
from api.feeds.news import COMPLETE, Entry, FeedKey, ended, item, removed
from api.feeds.told import Told
from api.participant_events.events import documents
from schemas.chat_messages import revised
from schemas.participant_events import CHAT, CHAT_MESSAGE
from schemas.records import OutputKind, ParticipantEvent

PARTICIPANT_EVENT = "participant_event"


class ParticipantNews:
    """Tells who comes and goes, who speaks where that is asked for, and what is written in the chat."""

    def __init__(self, key: FeedKey) -> None:
        self._key = key
        self._told = Told()

    def take(self, entry: Entry) -> Event | None:
        value = entry.value
        if value is None:
            return removed(self._key, self._told, replace(entry, item_id=revised(entry.item_id).message_id))
        if not isinstance(value, ParticipantEvent):
            return None
        if value.kind is OutputKind.END:
            return ended(self._key, entry.offset, COMPLETE)
        if value.kind is not OutputKind.ITEM:
            return None
        if value.event in CHAT:
            return self._written(entry, value)
        row = {name: getattr(value, name) for name in ParticipantEvent.__slots__}
        [document] = documents(self._key.session_id, [row])
        return item(self._key, self._told, entry, PARTICIPANT_EVENT, dict(document))

    def show(self, entry: Entry) -> Event | None:
        """Nothing: what participants do is done when it is told."""
        return None

    def _written(self, entry: Entry, value: ParticipantEvent) -> Event | None:
        """A message as it is now, unless that or something newer was told before."""
        message_id, revision = revised(value.event_id)
        row = {
            "message_id": message_id,
            "revision": revision,
            "written_ms": value.timestamp_ms,
            "sender_id": value.participant_id,
            "sender_name": value.participant_name,
            "told": value.details,
        }
        [document] = messages.documents(self._key.session_id, [row])
        news = event(CHAT_MESSAGE, document, Cursor(self._key.partition, entry.offset))
        return news if self._told.is_news(message_id, revision, news.data) else None
