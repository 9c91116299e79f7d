"""Joins and leaves, each exactly once, whatever Zoom repeats or leaves out."""

import json
import random
from dataclasses import replace

import pytest

from processors.checkpoint.missing import Missing
from processors.participants.application import participant_event
from processors.participants.roster import SETTLE_MS, Change, ParticipantsLogic
from schemas.records import MediaRecord, OutputKind, RecordKind
from schemas.topics import EVENTS
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.meeting_events import event, events, record

T = 1_700_000_000_000


def joined(sequence: int, who: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return event("s", epoch, sequence, at_ms, "participant_joined", who, f"P{who}")


def left(sequence: int, who: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return event("s", epoch, sequence, at_ms, "participant_left", who, None)


def begin(epoch: int, at_ms: int = T) -> MediaRecord:
    return record("s", RecordKind.BEGIN, epoch, 0, at_ms)


def tick(sequence: int, at_ms: int, epoch: int = 5) -> MediaRecord:
    return record("s", RecordKind.TICK, epoch, sequence, at_ms)


def identify(session, work):
    if isinstance(work, Missing):
        return f"{session}/hole-{work.hole.from_ms}", work
    told = participant_event(session, work)
    return f"{session}/{told.event_id}", told


def told(*records: MediaRecord) -> list[tuple[str, int]]:
    return [(work.event, work.participant_id) for work in works(*records)]


def works(*records: MediaRecord) -> list[Change]:
    part, found = None, []
    for one in records:
        observed = ParticipantsLogic().observe(EVENTS.name, part, one)
        part = json.loads(json.dumps(observed.part))
        assert part == observed.part, "the fold must be JSON"
        found += observed.works
    return found


def test_who_joins_and_leaves():
    assert told(begin(5), joined(1, 10), joined(2, 11), left(3, 10)) == [("join", 10), ("join", 11), ("leave", 10)]


def test_a_leave_has_the_name_that_only_the_join_gave():
    assert works(begin(5), joined(1, 10), left(2, 10))[-1].participant_name == "P10"


def test_repeated_joins_and_leaves_of_nobody_say_nothing():
    assert told(begin(5), joined(1, 10), joined(2, 10), left(3, 11), left(4, 10), left(5, 10)) == [
        ("join", 10),
        ("leave", 10),
    ]


def test_who_comes_back_joins_again():
    assert told(begin(5), joined(1, 10), left(2, 10), joined(3, 10))[-1] == ("join", 10)


def test_announcements_after_a_reconnect_are_no_joins():
    assert told(begin(5), joined(1, 10), begin(9), joined(1, 10, epoch=9), joined(2, 11, epoch=9)) == [
        ("join", 10),
        ("join", 11),
    ]


def test_who_is_not_announced_again_has_left_when_the_connection_was_lost():
    later = T + 60_000
    found = works(
        begin(5), joined(1, 10), joined(2, 11), begin(9, later), joined(1, 10, later, 9), tick(2, later + SETTLE_MS, 9)
    )
    assert [(work.event, work.participant_id) for work in found[2:]] == [("leave", 11)]
    assert (found[2].timestamp_ms, found[2].reason) == (later, "not_announced_again")


def test_nobody_has_left_before_the_announcements_had_their_time():
    later = T + 60_000
    assert told(
        begin(5), joined(1, 10), joined(2, 11), begin(9, later), joined(1, 10, later, 9),
        tick(2, later + SETTLE_MS - 1, 9), joined(3, 11, later + SETTLE_MS - 1, 9), tick(4, later + SETTLE_MS, 9),
    ) == [("join", 10), ("join", 11)]  # fmt: skip


def test_without_any_announcement_absence_means_nothing():
    assert told(begin(5), joined(1, 10), begin(9), tick(1, T + 1, 9), tick(2, T + SETTLE_MS + 1, 9)) == [("join", 10)]


def test_whoever_is_there_at_the_end_leaves_with_it():
    end = record("s", RecordKind.END, 5, 3, T + 7)
    found = works(begin(5), joined(1, 11), joined(2, 10), end)[2:]
    assert [(work.event, work.participant_id, work.reason) for work in found] == [
        ("leave", 10, "session_ended"),
        ("leave", 11, "session_ended"),
    ]


def test_the_state_of_a_session_that_is_over_names_nobody():
    """Deleting a session's data relies on it: the state stays until its inputs are gone."""
    part = None
    for one in (begin(5), joined(1, 10), joined(2, 11), left(3, 11), record("s", RecordKind.END, 5, 4, T + 7)):
        part = ParticipantsLogic().observe(EVENTS.name, part, one).part
        assert ("P10" in json.dumps(part)) is (one.kind is RecordKind.FRAME)


def test_other_events_say_nothing():
    speaks = event("s", 5, 2, T, "active_speaker_changed", 10, "P10")
    assert told(begin(5), joined(1, 10), speaks) == [("join", 10)]


def test_ids_tell_all_events_apart_and_the_end_counts_them():
    meetings = {"s": {EVENTS.name: events(random.Random(3), "s", 80)}}
    outputs = undisturbed(ParticipantsLogic(), meetings, identify)
    closing = outputs.pop("s/")
    holes = [outputs.pop(key) for key in list(outputs) if "hole" in key]
    assert {missing.hole.medium for missing in holes} == {"events"}
    assert closing.kind is OutputKind.END
    assert closing.count == len(outputs) > 20
    present: set[int] = set()
    for told_event in sorted(outputs.values(), key=lambda e: (e.timestamp_ms, e.event == "join")):
        present ^= {told_event.participant_id}
    assert present == set()


def test_a_works_record_is_decided_by_the_work():
    with pytest.raises(TypeError):
        participant_event("s", object())
    (join,) = works(begin(5), joined(1, 10))
    assert participant_event("s", join) == participant_event("s", replace(join))


@pytest.mark.parametrize("seed", range(12))
def test_no_trouble_shows_in_joins_and_leaves(seed):
    rng = random.Random(seed)
    meetings = {name: {EVENTS.name: events(rng, name, 25)} for name in ("a", "b")}
    expected = undisturbed(ParticipantsLogic(), meetings, identify)
    assert faults(simulate(ParticipantsLogic(), meetings, identify, seed, Trouble(crash_rate=0.02)), expected) == []
