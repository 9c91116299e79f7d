"""What was read and is not written yet, by partition: a partition that moves away takes its part along. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.kafka.deletions import Deleted
from connectors.kafka.records import Place, Record
from schemas import clickhouse
from schemas.clickhouse import Table
from schemas.deletion import is_content, left_of
from schemas.records import FactKind, OutputKind, ParticipantEvent, Utterance, UtteranceStatus
from schemas.records import Record as Value
from sinks.clickhouse.rows import Position, Row, Unfit, row_of


@dataclass(frozen=True, slots=True)
class Ending:
    """A session's last word on a topic: once its rows are in `table`, `fact` can be stated.

    With `side` it is that of a side transcript (its id); `reason` says why some of it is not there, `failed` that it
    is therefore of no use.
    """

    session_id: str
    table: Table
    fact: FactKind
    announced: int
    side: str | None = None
    reason: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """An input that is no use, and why."""

    record: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """A record of a deleted session, and what may be left under its key; None: nothing."""

    record: Record
    left: Value | None


@dataclass(slots=True)
class _Part:
    first_offset: int
    next_offset: int = 0
    rows: list[tuple[Table, Row]] = field(default_factory=list)
    content: list[Value] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    deleted: set[Deleted] = field(default_factory=set)


class Pending:
    """Add records in log order; take what they amount to; clear when all of it is done."""

    def __init__(self) -> None:
        self._parts: dict[Place, _Part] = {}

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, record: Record, value: Value | None) -> None:
        """A record and what it says; None for one that only has to be passed by."""
        part = self._passed(record)
        if value is None:
            return
        if is_content(value):
            part.content.append(value)
        ending = ending_of(value)
        if ending is not None:
            part.endings.append(ending)
            return
        try:
            part.rows.append(row_of(value, Position(record.partition, record.offset, record.timestamp_ms)))
        except Unfit as error:
            part.letters.append(Letter(record, error.reason))

    def erase(self, record: Record, value: Value, deleted: Deleted) -> None:
        """A record that is deleted: what it may have become before must be gone, too."""
        part = self._passed(record)
        part.deleted.add(deleted)
        left = left_of(value)
        if left != value:
            part.erasures.append(Erasure(record, left))

    def refuse(self, record: Record, reason: str) -> None:
        """A record that says nothing anybody can read."""
        self._passed(record).letters.append(Letter(record, reason))

    def drop(self, places: Iterable[Place]) -> None:
        """These are somebody else's now, who will read them again."""
        for place in places:
            self._parts.pop(place, None)

    def clear(self) -> None:
        """All of it is done."""
        self._parts.clear()

    def rows(self) -> list[tuple[Table, list[Row]]]:
        """By table. Of several records of one id only the winner is there: the others would be replaced at once."""
        tables: dict[str, Table] = {}
        newest: dict[str, dict[tuple[object, ...], Row]] = {}
        for part in self._parts.values():
            for table, row in part.rows:
                tables[table.name] = table
                rows, key = newest.setdefault(table.name, {}), tuple(row[name] for name in table.order_by)
                if key not in rows or row["_offset"] >= rows[key]["_offset"]:
                    rows[key] = row
        return [(tables[name], list(found.values())) for name, found in newest.items()]

    def endings(self) -> list[Ending]:
        return [ending for part in self._parts.values() for ending in part.endings]

    def letters(self) -> list[Letter]:
        return [letter for part in self._parts.values() for letter in part.letters]

    def content(self) -> list[Value]:
        """What is to be written that tells what was said or done; nothing deleted, as far as was known."""
        return [value for part in self._parts.values() for value in part.content]

    def erasures(self) -> list[Erasure]:
        return [erasure for part in self._parts.values() for erasure in part.erasures]

    def deleted(self) -> set[Deleted]:
        """The deleted sessions that were met."""
        return {deleted for part in self._parts.values() for deleted in part.deleted}

    def offsets(self) -> Mapping[Place, int]:
        """What to commit."""
        return {place: part.next_offset for place, part in self._parts.items()}

    def first_offsets(self) -> Mapping[Place, int]:
        """Where to read again if nothing of it shall have happened."""
        return {place: part.first_offset for place, part in self._parts.items()}

    def _passed(self, record: Record) -> _Part:
        part = self._parts.setdefault(record.place, _Part(record.offset))
        part.next_offset = record.offset + 1
        return part


def ending_of(value: Value) -> Ending | None:
    """The ending that a record is, if it is one."""
    if isinstance(value, Utterance) and value.kind is OutputKind.SIDE_END:
        kind, failed = FactKind.ASYNC_TRANSCRIPTION_STORED, value.status is not UtteranceStatus.FINAL
        return Ending(
            value.session_id, clickhouse.UTTERANCES, kind, value.count, value.engine, value.reason, failed
        )  # fmt: skip
    if not isinstance(value, Utterance | ParticipantEvent) or value.kind is not OutputKind.END:
        return None
    if isinstance(value, Utterance):
        return Ending(value.session_id, clickhouse.UTTERANCES, FactKind.TRANSCRIPT_STORED, value.count)
    return Ending(value.session_id, clickhouse.PARTICIPANT_EVENTS, FactKind.EVENTS_STORED, value.count)
