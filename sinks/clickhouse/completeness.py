"""Whether what a session announced at its end is in the table, and what to state about it. Pure.

Rows that could not be made of their records (they are dead letters), or whose records were deleted before they were
read, come no more: they hold no session up, but they are said to be missing. An utterance that nobody could recognise
(or that is not final at the end) is there and has no text: a transcript with such a one has failed, as its clients know
it, though the rest can be read. A side transcript's end says itself what of it has failed.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from schemas import async_transcriptions, clickhouse, conclusion, ids
from schemas.records import FactKind, SessionFact, Stored
from schemas.transcription_codes import IN_PROGRESS, code_of
from sinks.clickhouse.pending import Ending

SOURCE = "sink-clickhouse"

_FAILED_OF = {
    FactKind.TRANSCRIPT_STORED: FactKind.TRANSCRIPT_FAILED,
    FactKind.EVENTS_STORED: FactKind.EVENTS_FAILED,
    FactKind.ASYNC_TRANSCRIPTION_STORED: FactKind.ASYNC_TRANSCRIPTION_FAILED,
}

ROWS_MISSING = "rows_missing"

_PLAIN = "count() AS announced, 0 AS failed, [] AS reasons, 0 AS unfinished"
_COLUMNS = {
    # Only Zoom's captions are announced: in how much of the sound there was a word, nobody counts.
    clickhouse.UTTERANCES.name: (
        "countIf(engine = 'zoom') AS announced, countIf(status != 'final') AS failed, "
        "groupUniqArrayIf(coalesce(reason, ''), status = 'failed') AS reasons, "
        "countIf(status NOT IN ('final', 'failed')) AS unfinished"
    ),
    clickhouse.PARTICIPANT_EVENTS.name: _PLAIN,
}


class Found(NamedTuple):
    """The session's rows: all, those of the kind that its end announces, and those that say that they failed, or are
    not final; `codes` says why (`schemas.transcription_codes`)."""

    rows: int
    announced: int
    failed: int
    codes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        unfinished = {IN_PROGRESS} if int(row["unfinished"]) else set[str]()
        codes = frozenset(map(code_of, row["reasons"])) | unfinished
        return cls(int(row["rows"]), int(row["announced"]), int(row["failed"]), codes)


def counting(ending: Ending) -> tuple[str, Mapping[str, str]]:
    """The query for `Found`, and its parameters."""
    table, parameters, columns, whose = ending.table.name, {"session_id": ending.session_id}, "", ""
    if ending.side is not None:
        columns, whose = _PLAIN, " AND engine = {side:String}"
        parameters["side"] = ending.side
    else:
        columns = _COLUMNS[table]
        if ending.table is clickhouse.UTTERANCES:
            whose = f" AND NOT startsWith(engine, '{ids.ASYNC_TRANSCRIPTION_PREFIX}')"
    sql = f"SELECT count() AS rows, {columns} FROM {table} WHERE session_id = {{session_id:String}}{whose}"  # noqa: S608
    return sql, parameters


def missing(ending: Ending, found: Found) -> int:
    """How many rows are not there."""
    return max(0, ending.announced - found.announced)


def verdict(ending: Ending, found: Found) -> SessionFact:
    """The fact to state: stored, or failed and why."""
    if ending.side is not None:
        return _side_verdict(ending, found)
    reasons = []
    if short := missing(ending, found):
        reasons.append(f"rows_missing: {short} of {ending.announced}")
    if found.failed:
        reasons.append(conclusion.utterances_failed(found.failed, found.rows, found.codes))
    return SessionFact(
        session_id=ending.session_id,
        kind=_FAILED_OF[ending.fact] if reasons else ending.fact,
        source=SOURCE,
        reason=", ".join(reasons) or None,
        stored=Stored(count=found.rows),
    )


def _side_verdict(ending: Ending, found: Found) -> SessionFact:
    is_short = bool(missing(ending, found))
    codes = ([ending.reason] if ending.reason else []) + ([ROWS_MISSING] if is_short else [])
    return SessionFact(
        session_id=ending.session_id,
        kind=_FAILED_OF[ending.fact] if ending.failed or is_short else ending.fact,
        source=SOURCE,
        reason=async_transcriptions.together(codes),
        stored=Stored(count=found.rows),
        transcription_id=ending.side,
    )
