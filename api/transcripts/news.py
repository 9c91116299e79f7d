"""What a transcript's records amount to for those who read it live. Pure."""

from dataclasses import replace
from typing import Any

import msgspec

from api.feeds.events import Event, event
from api.feeds.news import COMPLETE, Entry, FeedKey, ended, item, removed
from api.feeds.told import Told
from api.transcripts import utterances
from api.transcripts.utterances import UtteranceDocument
from schemas.records import OutputKind, Utterance, UtteranceStatus

UTTERANCE = "utterance"


class LiveUtteranceDocument(UtteranceDocument):
    """An utterance as it is told live: a higher `revision` of an `id` replaces a lower one; `status` is `partial`,
    `final` or `failed`, and then `reason` says why there are no words.
    """

    revision: int
    status: str
    reason: str | None


class TranscriptNews:
    """Tells the utterances of one engine, and how they change."""

    def __init__(self, key: FeedKey) -> None:
        self._key = key
        self._told = Told()
        self._shown: dict[str, int] = {}

    def take(self, entry: Entry) -> Event | None:
        value = entry.value
        if value is None:
            return removed(self._key, self._told, entry)
        if not isinstance(value, Utterance):
            return None
        if value.kind is OutputKind.END:
            return ended(self._key, entry.offset, COMPLETE)
        if not self._is_ours(value) or not self._is_worth(value):
            return None
        self._shown.pop(value.utterance_id, None)
        return item(self._key, self._told, entry, UTTERANCE, self._document(value))

    def show(self, entry: Entry) -> Event | None:
        """Of what is not final yet, what is newer than what was shown; that there was no word in it also where nothing
        was, for it may have been by another replica, or before this feed began."""
        value = entry.value
        if not isinstance(value, Utterance) or not self._is_ours(value) or self._told.knows(value.utterance_id):
            return None
        if value.revision <= self._shown.get(value.utterance_id, 0):
            return None
        self._shown[value.utterance_id] = value.revision
        return replace(event(UTTERANCE, self._document(value)), takes_back=not value.text)

    def _is_ours(self, utterance: Utterance) -> bool:
        return utterance.kind is OutputKind.ITEM and utterance.engine == self._key.engine

    def _is_worth(self, utterance: Utterance) -> bool:
        """Words; or that there are none, where there were some or somebody was heard and not understood. That they were
        deleted also where none were told: of what others know, compaction may have left only that."""
        return (
            bool(utterance.text)
            or utterance.withdraws
            or utterance.status is UtteranceStatus.FAILED
            or self._told.knows(utterance.utterance_id)
        )

    def _document(self, utterance: Utterance) -> dict[str, Any]:
        assert self._key.engine is not None
        row = {name: getattr(utterance, name) for name in Utterance.__slots__}
        row["words"] = msgspec.json.encode(utterance.words)
        [said] = utterances.documents(self._key.session_id, self._key.engine, [row])
        live: LiveUtteranceDocument = {
            **said,
            "revision": utterance.revision,
            "status": str(utterance.status),
            "reason": utterance.reason,
        }
        return dict(live)
