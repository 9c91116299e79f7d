"""Joins and leaves, each exactly once, whatever Zoom repeats or leaves out."""

import json
import random
from dataclasses import replace

import pytest

from connectors.rtms.protocol.codes import ContactCenterEventType
from processors.checkpoint.missing import Missing
from processors.participants.application import ParticipantsApplication, participant_event
from processors.participants.logic import ParticipantsLogic
from processors.participants.roster import SESSION_STATE, SETTLE_MS, STREAM_STATE, Change, Pausing
from schemas.ids import participant_of_channel
from schemas.participant_events import JOIN, LEAVE, SPEECH_START, SPEECH_STOP
from schemas.records import FactKind, MediaRecord, OutputKind, RecordKind
from schemas.topics import EVENTS, SESSION_FACTS
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.meeting_events import SPEECH, event, meeting, record

T = 1_700_000_000_000


def joined(sequence: int, who: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return event("s", epoch, sequence, at_ms, "participant_joined", who, f"P{who}")


def left(sequence: int, who: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return event("s", epoch, sequence, at_ms, "participant_left", who, None)


def begin(epoch: int, at_ms: int = T, settings: str = "{}") -> MediaRecord:
    return record("s", RecordKind.BEGIN, epoch, 0, at_ms, settings)


def speaks(sequence: int, who: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return event("s", epoch, sequence, at_ms, "active_speaker_changed", who, f"P{who}")


def end(sequence: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return record("s", RecordKind.END, epoch, sequence, at_ms)


def tick(sequence: int, at_ms: int, epoch: int = 5) -> MediaRecord:
    return record("s", RecordKind.TICK, epoch, sequence, at_ms)


def identify(session, work):
    if isinstance(work, Missing):
        return f"{session}/hole-{work.hole.medium}-{work.hole.from_ms}-{work.hole.to_ms}", work
    if isinstance(work, Pausing):
        return f"{session}/paused-{work.is_paused}-{work.at_ms}", work
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


CALLER, AGENT, SECOND = (participant_of_channel(channel) for channel in ("c1", "c2", "c3"))


def in_call(sequence: int, code: ContactCenterEventType, who: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return event("s", epoch, sequence, at_ms, code.name.lower(), who, f"P{who}")


def test_in_a_contact_center_who_answers_has_joined_and_who_hangs_up_has_left():
    call = ContactCenterEventType
    assert told(
        begin(5), in_call(1, call.CONSUMER_ANSWERED, CALLER), in_call(2, call.USER_ANSWERED, AGENT),
        in_call(3, call.USER_HOLD, AGENT), in_call(4, call.USER_ANSWERED, SECOND),
        in_call(5, call.CONFERENCE_PARTICIPANT_LEFT, AGENT), in_call(6, call.USER_END, AGENT),
        in_call(7, call.USER_ANSWERED, 0), in_call(8, call.USER_END, 0),  # nobody is named
        in_call(9, call.USER_END, SECOND), in_call(10, call.CONSUMER_END, CALLER), end(11),
    ) == [
        ("join", CALLER), ("join", AGENT), ("join", SECOND), ("leave", AGENT), ("leave", SECOND), ("leave", CALLER),
    ]  # fmt: skip


def test_of_a_call_nobody_says_whether_all_are_announced_again():
    call, later = ContactCenterEventType, T + 60_000
    assert told(
        begin(5), in_call(1, call.CONSUMER_ANSWERED, CALLER), in_call(2, call.USER_ANSWERED, AGENT),
        begin(9, later), in_call(1, call.CONSUMER_ANSWERED, CALLER, T, 9),
        tick(2, later, 9), tick(3, later + SETTLE_MS, 9), end(4, later + 2 * SETTLE_MS, 9),
    ) == [("join", CALLER), ("join", AGENT), *(("leave", who) for who in sorted((CALLER, AGENT), key=str))]  # fmt: skip


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
    assert told(begin(5), joined(1, 10), event("s", 5, 2, T, "video_on", 10, "P10")) == [("join", 10)]


def test_who_speaks_is_told_only_where_it_is_asked_for():
    records = joined(1, 10), speaks(2, 10), end(3)
    assert told(begin(5), *records) == [("join", 10), ("leave", 10)]
    assert told(begin(5, settings=SPEECH), *records) == [
        ("join", 10), ("speech_start", 10), ("speech_stop", 10), ("leave", 10),
    ]  # fmt: skip


def test_who_is_named_starts_and_whoever_spoke_before_stops():
    found = works(begin(5, settings=SPEECH), speaks(1, 10), speaks(2, 10), speaks(3, 11, T + 5), speaks(4, 0, T + 9))
    assert [(work.event, work.participant_id, work.timestamp_ms) for work in found] == [
        ("speech_start", 10, T), ("speech_stop", 10, T + 5), ("speech_start", 11, T + 5), ("speech_stop", 11, T + 9),
    ]  # fmt: skip
    assert [work.participant_name for work in found] == ["P10", None, "P11", None], "of who never joined"


def test_a_new_connection_does_not_stop_the_speaker_but_absence_does():
    later = T + 60_000
    before = begin(5, settings=SPEECH), joined(1, 10), joined(2, 11), speaks(3, 10)
    after = begin(9, later, SPEECH), joined(1, 11, later, 9)
    assert told(*before, *after, joined(2, 10, later, 9), speaks(3, 10, later + 9, 9))[3:] == []
    gone = works(*before, *after, tick(2, later + SETTLE_MS, 9))[3:]
    assert [(work.event, work.participant_id, work.timestamp_ms, work.reason) for work in gone] == [
        ("speech_stop", 10, later, "not_announced_again"), ("leave", 10, later, "not_announced_again"),
    ]  # fmt: skip


def test_a_leave_ends_what_the_participant_says():
    found = works(begin(5, settings=SPEECH), joined(1, 10), speaks(2, 10), left(3, 10), end(4))
    assert [work.event for work in found] == ["join", "speech_start", "speech_stop", "leave"]
    assert found[2].participant_name == "P10"


def test_whoever_speaks_at_the_end_stops_with_it():
    (_, stop) = works(begin(5, settings=SPEECH), speaks(1, 10), end(2, T + 7))
    assert (stop.event, stop.timestamp_ms, stop.reason) == ("speech_stop", T + 7, "session_ended")


def test_a_state_of_an_older_release_is_read():
    old = {"present": {"10": "P10"}, "unseen": [], "since_ms": None, "is_announced": True, "is_crowded": False,
           "count": 1}  # fmt: skip
    assert ParticipantsLogic().observe(EVENTS.name, old, left(2, 10)).works[0].event == "leave"


def test_ids_tell_all_events_apart_and_the_end_counts_them():
    meetings = {"s": meeting(random.Random(3), "s", 80)}
    outputs = undisturbed(ParticipantsLogic(), meetings, identify)
    closing = outputs.pop("s/")
    holes = [outputs.pop(key) for key in list(outputs) if "hole" in key]
    assert {missing.hole.medium for missing in holes} == {"events", "chat"}
    assert [outputs.pop(key) for key in list(outputs) if "paused" in key], "pauses are the session's, and not counted"
    assert closing.kind is OutputKind.END
    assert closing.count == len(outputs) > 20
    for pair in (JOIN, LEAVE), (SPEECH_START, SPEECH_STOP):
        begun: set[int] = set()
        these = [told_event for told_event in outputs.values() if told_event.event in pair]
        for told_event in sorted(these, key=lambda e: (e.timestamp_ms, e.event == pair[0])):
            begun ^= {told_event.participant_id}
        assert these
        assert begun == set()


def test_a_works_record_is_decided_by_the_work():
    with pytest.raises(TypeError):
        participant_event("s", object())
    (join,) = works(begin(5), joined(1, 10))
    assert participant_event("s", join) == participant_event("s", replace(join))


@pytest.mark.parametrize("seed", range(12))
def test_no_trouble_shows_in_what_participants_do(seed):
    rng = random.Random(seed)
    meetings = {name: meeting(rng, name, 25) for name in ("a", "b")}
    expected = undisturbed(ParticipantsLogic(), meetings, identify)
    assert faults(simulate(ParticipantsLogic(), meetings, identify, seed, Trouble(crash_rate=0.02)), expected) == []


def says(sequence: int, event_name: str, code: int, at_ms: int = T, epoch: int = 5) -> MediaRecord:
    return replace(event("s", epoch, sequence, at_ms, event_name, 0, None), code=code)


@pytest.mark.parametrize(
    ("name", "paused", "resumed"), [(STREAM_STATE, 5, 6), (STREAM_STATE, 5, 1), (SESSION_STATE, 3, 4)]
)
def test_a_pause_is_stated_once_and_ends_at_the_latest_with_the_stream(name: str, paused: int, resumed: int) -> None:
    twice = (says(1, name, paused), says(2, SESSION_STATE, 3, T + 1), says(3, STREAM_STATE, 5, T + 2))
    assert works(begin(5), *twice, says(4, name, resumed, T + 9), says(5, name, resumed, T + 10)) == [
        Pausing(True, T), Pausing(False, T + 9),
    ]  # fmt: skip
    assert works(begin(5), *twice, end(4, T + 7)) == [Pausing(True, T), Pausing(False, T + 7)]
    assert works(begin(5), says(1, name, resumed), says(2, STREAM_STATE, 2), begin(9)) == []


async def test_a_pause_is_a_fact_of_the_session() -> None:
    [output] = await ParticipantsApplication().render("app_1", Pausing(True, T))
    assert (output.topic, output.key("app_1")) == (SESSION_FACTS, b"app_1")
    assert (output.record.kind, output.record.as_of_ms) == (FactKind.PAUSED, T)
