"""What was read and is not written yet, by partition: a partition that moves away takes its part along. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.kafka.records import Place, Record
from schemas import clickhouse
from schemas.clickhouse import Table
from schemas.records import FactKind, OutputKind, ParticipantEvent, Utterance
from schemas.records import Record as Value
from sinks.clickhouse.rows import Position, Row, Unfit, row_of


@dataclass(frozen=True, slots=True)
class Ending:
    """A session's last word on a topic: once its rows are in `table`, `fact` can be stated."""

    session_id: str
    table: Table
    fact: FactKind
    announced: int


@dataclass(frozen=True, slots=True)
class Letter:
    """An input that is no use, and why."""

    record: Record
    reason: str


@dataclass(slots=True)
class _Part:
    next_offset: int = 0
    rows: list[tuple[Table, Row]] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


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
        ending = ending_of(value)
        if ending is not None:
            part.endings.append(ending)
            return
        try:
            part.rows.append(row_of(value, Position(record.partition, record.offset, record.timestamp_ms)))
        except Unfit as error:
            part.letters.append(Letter(record, error.reason))

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
        """By table. Of several records of one id only the last is there: the others would be replaced at once."""
        tables: dict[str, Table] = {}
        newest: dict[str, dict[tuple[object, ...], Row]] = {}
        for part in self._parts.values():
            for table, row in part.rows:
                tables[table.name] = table
                newest.setdefault(table.name, {})[tuple(row[name] for name in table.order_by)] = row
        return [(tables[name], list(rows.values())) for name, rows in newest.items()]

    def endings(self) -> list[Ending]:
        return [ending for part in self._parts.values() for ending in part.endings]

    def letters(self) -> list[Letter]:
        return [letter for part in self._parts.values() for letter in part.letters]

    def offsets(self) -> Mapping[Place, int]:
        """What to commit."""
        return {place: part.next_offset for place, part in self._parts.items()}

    def _passed(self, record: Record) -> _Part:
        part = self._parts.setdefault(record.place, _Part())
        part.next_offset = record.offset + 1
        return part


def ending_of(value: Value) -> Ending | None:
    """The ending that a record is, if it is one."""
    if not isinstance(value, Utterance | ParticipantEvent) or value.kind is not OutputKind.END:
        return None
    if isinstance(value, Utterance):
        return Ending(value.session_id, clickhouse.UTTERANCES, FactKind.TRANSCRIPT_STORED, value.count)
    return Ending(value.session_id, clickhouse.PARTICIPANT_EVENTS, FactKind.EVENTS_STORED, value.count)
