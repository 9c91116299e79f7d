"""What the records of participant events amount to for those who read them live. Pure."""

from api.feeds.events import Event
from api.feeds.news import COMPLETE, Entry, FeedKey, ended, item, removed
from api.feeds.told import Told
from api.participant_events.events import documents
from schemas.records import OutputKind, ParticipantEvent

PARTICIPANT_EVENT = "participant_event"


class ParticipantNews:
    """Tells who comes and goes."""

    def __init__(self, key: FeedKey) -> None:
        self._key = key
        self._told = Told()

    def take(self, entry: Entry) -> Event | None:
        value = entry.value
        if value is None:
            return removed(self._key, self._told, entry)
        if not isinstance(value, ParticipantEvent):
            return None
        if value.kind is OutputKind.END:
            return ended(self._key, entry.offset, COMPLETE)
        if value.kind is not OutputKind.ITEM:
            return None
        row = {name: getattr(value, name) for name in ParticipantEvent.__slots__}
        [document] = documents(self._key.session_id, [row])
        return item(self._key, self._told, entry, PARTICIPANT_EVENT, dict(document))
