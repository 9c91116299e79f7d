"""Sees to it that what Zoom says last of its captions is what is left, of their rows and of their records.

Of an utterance the row with the highest revision wins, wherever its record stands in the log. On the topic the record
may be covered by an older one, which somebody wrote late who goes on for a dead processor: then it is written once more
behind that. Of what Zoom has deleted, rows of lower revisions go at once. It is looked for after every write in which
there is anything new of it, so it does not matter which of two was written last.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from connectors.clickhouse.client import ClickHouse
from schemas import topics
from schemas.clickhouse import UTTERANCES
from schemas.records import OutputKind, Record, Utterance, UtteranceStatus
from schemas.row_documents import words_in
from schemas.settings import Engine
from sinks.clickhouse.emptied import Emptied
from sinks.clickhouse.rows import Position

MOST = 200
"""Utterances asked about at once: they stand in the address of the request."""

_CHANGED = f"""
SELECT * FROM {UTTERANCES.name}
WHERE session_id IN {{sessions:Array(String)}} AND engine = '{Engine.ZOOM}' AND start_ms IN {{starts:Array(Int64)}}
  AND utterance_id IN {{utterances:Array(String)}} AND revision > 1
"""  # noqa: S608  names of ours
_DELETE = f"""
DELETE FROM {UTTERANCES.name}
WHERE session_id IN {{sessions:Array(String)}} AND utterance_id IN {{utterances:Array(String)}}
  AND revision < transform(utterance_id, {{utterances:Array(String)}}, {{revisions:Array(UInt32)}}, toUInt32(0))
"""  # noqa: S608
_PURGE = f"ALTER TABLE {UTTERANCES.name} APPLY DELETED MASK"


class Said(NamedTuple):
    """Which revision of which utterance something is about."""

    session_id: str
    utterance_id: str
    start_ms: int
    revision: int

    @property
    def whose(self) -> tuple[str, str]:
        return self.session_id, self.utterance_id


class CaptionWords:
    """The records of captions, and their rows; see `Words`."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    def left(self, content: Iterable[Record], patience_s: float | None = None) -> list[Emptied[Utterance]]:
        """What is to be written once more. Rows of what was deleted are gone when this returns."""
        last = {said.whose: said for said in map(written, content) if said is not None}
        found = changed(self._clickhouse, last.values(), patience_s)
        self._delete([row for row in found if row["withdraws"]], patience_s)
        newest = [_newest(row) for row in found]
        return [one for one in newest if one.value.revision > last[one.value.session_id, one.item].revision]

    def replace(self, emptied: Sequence[Emptied[Utterance]], patience_s: float | None = None) -> None:
        """Their rows have won already."""

    def _delete(self, withdrawing: Sequence[dict[str, Any]], patience_s: float | None) -> None:
        """Together, for each change of the table costs as much as the next, whatever it takes away."""
        for at in range(0, len(withdrawing), MOST):
            some = withdrawing[at : at + MOST]
            parameters = {
                "sessions": sorted({row["session_id"] for row in some}),
                "utterances": [row["utterance_id"] for row in some],
                "revisions": [row["revision"] for row in some],
            }
            self._clickhouse.command(_DELETE, parameters, patience_s)
        if withdrawing:
            self._clickhouse.command(_PURGE, patience_s=patience_s)


def written(value: Record) -> Said | None:
    """Which revision a record of Zoom's captions is."""
    if not isinstance(value, Utterance) or value.kind is not OutputKind.ITEM or value.engine != Engine.ZOOM:
        return None
    return Said(value.session_id, value.utterance_id, value.start_ms, value.revision)


def changed(clickhouse: ClickHouse, said: Iterable[Said], patience_s: float | None = None) -> list[dict[str, Any]]:
    """The rows of those that Zoom has changed, as they are by now. Raises ClickHouseError."""
    each, rows = list({one.whose: one for one in said}.values()), list[dict[str, Any]]()
    for at in range(0, len(each), MOST):
        some = each[at : at + MOST]
        parameters = {
            "sessions": sorted({one.session_id for one in some}),
            "starts": sorted({one.start_ms for one in some}),
            "utterances": sorted({one.utterance_id for one in some}),
        }
        rows += clickhouse.query(_CHANGED, parameters, patience_s)
    meant = {one.whose for one in each}
    return [row for row in rows if (row["session_id"], row["utterance_id"]) in meant]


_FIELDS = Utterance.__dataclass_fields__.keys() & UTTERANCES.columns.keys()


def _newest(row: dict[str, Any]) -> Emptied[Utterance]:
    said = {name: row[name] for name in _FIELDS}
    said["status"] = UtteranceStatus(row["status"])
    said["words"] = words_in(row["words"])
    value = Utterance(kind=OutputKind.ITEM, **said)
    return Emptied(topics.TRANSCRIPTS, value.utterance_id, value, Position(int(row["_partition"]), 0, 0))
