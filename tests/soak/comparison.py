"""Holds what was found against what an undisturbed run yields, and says in one line each what is not the same. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from connectors.rtms.simulator.meeting import Meeting
from schemas import clickhouse, embedded_json, topics
from schemas.records import MediaRecord, OutputKind, RecordKind, SessionChange, Utterance
from schemas.sessions import State
from tests.soak import sound
from tests.soak.expected import CHANGES, SIDE_STEPS, UNCERTAIN, Expected, Inputs
from tests.soak.meetings import sent
from tests.soak.observed import Observed
from tests.support.deleted_chat import settled

SHOWN = 5

_Item = TypeVar("_Item")


def fed(meeting: Meeting, inputs: Inputs) -> list[str]:
    """Whether the topics hold the meeting, whole: each numbered without a hole, from one begin to one end.

    A record may stand there twice, the same: a broker that dies may have stored what it has not acknowledged, and where
    the producer has to number anew (its epoch at Kafka is 0, then 1) the next one cannot know that.
    """
    found = []
    truth = sent(meeting)
    for topic in topics.MEDIA_TOPICS:
        records = list(dict.fromkeys(inputs[topic.name]))
        if [record.sequence for record in records] != list(range(len(records))):
            found.append(f"{topic.name}: sequence numbers have holes or doubles")
        kinds = Counter(record.kind for record in records)
        if (kinds[RecordKind.BEGIN], kinds[RecordKind.END]) != (1, 1) or records[-1].kind is not RecordKind.END:
            found.append(f"{topic.name}: not from one begin to one end: {dict(kinds)}")
        if kinds[RecordKind.FRAME] != truth[topic.name]:
            found.append(f"{topic.name}: {kinds[RecordKind.FRAME]} frames, the meeting has {truth[topic.name]}")
    return found


def differences(expected: Expected, observed: Observed) -> list[str]:
    """Everything of one session that is lost, doubled or different."""
    left = settled(expected.events)
    return [
        *_utterances(expected, observed),
        *_partials(expected, observed),
        *_records("participant event", expected.events, observed.events, lambda e: e.event_id or "end", left),
        *_records("segment", expected.segments, observed.segments, lambda s: s.segment_id or "end"),
        *_rows(clickhouse.UTTERANCES.name, "utterance_id", expected.newest(), observed, expected.live),
        *_rows(clickhouse.PARTICIPANT_EVENTS.name, "event_id", _items(left), observed),
        *_session_row(observed),
        *_objects(expected.stored.objects, observed.objects),
        *_changes(observed.changes, expected.sides),
    ]


def _utterances(expected: Expected, observed: Observed) -> list[str]:
    wanted, found = (_certain(expected, said) for said in (expected.utterances, observed.utterances))
    return _records("utterance", wanted, found, _revision)


def _certain(expected: Expected, utterances: Iterable[Utterance]) -> list[Utterance]:
    """What has to be the same of them."""
    return [replace(one, text="", words=(), model=None) if one.engine in expected.live else one for one in utterances]


def _revision(utterance: Utterance) -> str:
    """What is written once: Zoom's word on a caption may change, each time as another revision."""
    return f"{utterance.utterance_id} {utterance.revision}" if utterance.utterance_id else f"end {utterance.engine}"


def _partials(expected: Expected, observed: Observed) -> list[str]:
    """Each is of an utterance and has heard less of it; of what had no word after all the last one says so."""
    finals = {item.utterance_id: item.revision for item in expected.newest()}
    last: dict[str, Utterance] = {}
    for one in sorted(observed.partials, key=lambda one: one.revision):
        last[one.utterance_id] = one
    late = [one for one in last.values() if one.utterance_id in finals and one.revision >= finals[one.utterance_id]]
    left = [one for one in last.values() if one.utterance_id not in finals and one.text]
    return [
        *_lines("partial that is no older than its utterance", map(_shown, late)),
        *_lines("partial that nothing came of", map(_shown, left)),
    ]


def _items(records: Iterable[Any]) -> list[Any]:
    return [record for record in records if record.kind is OutputKind.ITEM]


def _records(
    what: str,
    expected: Sequence[_Item],
    found: Sequence[_Item],
    identify: Callable[[_Item], str],
    left: Sequence[_Item] = (),
) -> list[str]:
    """A record may be written again, but as the same, or as what is `left` of it: readers know it by its id."""
    wanted = {identify(item): item for item in expected}
    replaced = {identify(item): item for item in left}
    seen = {identify(item) for item in found}
    unlike = [
        item
        for item in found
        if identify(item) in wanted and item not in (wanted[identify(item)], replaced.get(identify(item)))
    ]
    return [
        *_lines(f"{what} lost", (_shown(wanted[key]) for key in wanted.keys() - seen)),
        *_lines(f"{what} that should not be", (_shown(item) for item in found if identify(item) not in wanted)),
        *_lines(f"{what} different", (_unlike(wanted[identify(item)], item) for item in unlike)),
    ]


def _rows(
    table: str, column: str, expected: Sequence[Any], observed: Observed, live: frozenset[str] = frozenset()
) -> list[str]:
    rows = observed.rows[table]
    wanted = {getattr(item, column): item for item in expected}
    counts = Counter(row[column] for row in rows.seen)
    found = [
        *_lines(f"{table}: row lost", sorted(wanted.keys() - counts.keys())),
        *_lines(f"{table}: row that should not be", sorted(counts.keys() - wanted.keys())),
        *_lines(f"{table}: row doubled", sorted(key for key, count in counts.items() if count > 1)),
    ]
    for row in rows.seen:
        if (item := wanted.get(row[column])) is not None:
            unlike = [name for name, value in row.items() if hasattr(item, name) and _in_column(item, name) != value]
            unlike = [name for name in unlike if name not in UNCERTAIN or row.get("engine") not in live]
            found += _lines(f"{table}: {row[column]} different", unlike)
    if rows.distinct != len(wanted):
        found.append(f"{table}: {rows.distinct} ids without FINAL, expected {len(wanted)}")
    return found


def _in_column(item: Any, name: str) -> Any:
    """The value as its column has it: several of them are JSON."""
    value = getattr(item, name)
    return msgspec.json.encode(value).decode() if isinstance(value, tuple) else value


def _session_row(observed: Observed) -> list[str]:
    states = [row["state"] for row in observed.rows[clickhouse.APP_SESSIONS.name].seen]
    return [] if states == [State.ENDED] else [f"app_sessions: rows with states {states}, expected one that ended"]


def _objects(wanted: Mapping[str, bytes], found: Mapping[str, bytes]) -> list[str]:
    """Byte by byte, files included: what the sink makes depends on the records alone. If not, what a player notices."""
    unlike = sorted(key for key in wanted.keys() & found.keys() if wanted[key] != found[key])
    return [
        *_lines("object lost", sorted(wanted.keys() - found.keys())),
        *_lines("object that should not be", sorted(found.keys() - wanted.keys())),
        *_lines("object different", (f"{key}{_heard_and_seen(key, wanted[key], found[key])}" for key in unlike)),
    ]


def _heard_and_seen(key: str, expected: bytes, found: bytes) -> str:
    is_film = key.endswith((".mp4", ".m4a", ".mp3")) and "/headers/" not in key
    return f" ({sound.compared(expected, found)})" if is_film else ""


def _changes(found: Sequence[SessionChange], sides: Sequence[str]) -> list[str]:
    """Written in transactions, so each once and in order; `ended` is sent once. Then each side transcript's steps."""
    steps = [(item.change.event_type, item.change.old_state, item.change.new_state) for item in found]
    numbers = [item.sequence for item in found]
    further = sorted(_side_step(item) for item in found[len(CHANGES) :])
    is_whole = tuple(steps[: len(CHANGES)]) == CHANGES and numbers == list(range(len(steps)))
    if is_whole and further == sorted((side, step) for side in sides for step in SIDE_STEPS):
        return []
    states = [step[2] for step in steps]
    return [f"session changes {list(zip(numbers, states, strict=True))} {further}, expected one of each"]


def _side_step(change: SessionChange) -> tuple[str, str]:
    told = embedded_json.read(change.change.metadata)
    return (str(told.get("id")), str(told.get("state"))) if isinstance(told, dict) else ("", "")


def _unlike(expected: Any, found: Any) -> str:
    names = [name for name in expected.__dataclass_fields__ if getattr(expected, name) != getattr(found, name)]
    return f"{_shown(found)} in {', '.join(names)}"


def _shown(record: Any) -> str:
    """Where it is, and nothing of its content."""
    kind = "" if record.kind is OutputKind.ITEM else f" {record.kind}"
    at_ms = getattr(record, "start_ms", None) or getattr(record, "timestamp_ms", 0)
    return f"{getattr(record, 'engine', '')}{kind} at {at_ms} ms".strip()


def _lines(what: str, found: Iterable[str]) -> list[str]:
    listed = list(found)
    if not listed:
        return []
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return [f"{len(listed)} × {what}: {'; '.join(listed[:SHOWN])}{more}"]


def count(inputs: Mapping[str, Sequence[MediaRecord]]) -> int:
    return sum(map(len, inputs.values()))


def again(expected: Expected, observed: Observed) -> int:
    """Outputs that were written more than once, as the same: what at-least-once costs."""
    replaced = sum(left != event for left, event in zip(settled(expected.events), expected.events, strict=True))
    written = len(observed.utterances) + len(observed.events) + len(observed.segments)
    return max(0, written - replaced - expected.windows)
