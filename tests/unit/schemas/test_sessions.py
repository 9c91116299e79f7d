"""The life of a session, fact by fact."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import deletion, retention, sessions
from schemas.deletion import Part
from schemas.holes import MAX_HOLES
from schemas.records import FactKind, Hole, Pause, SessionFact, Stored, StoredTrack, StreamRequest
from schemas.sessions import Awaited, Progress, State
from schemas.settings import RecordingFormat, SessionSettings, dumps

REQUEST = StreamRequest(
    product="meeting", meeting_id="m==", stream_id="s", server_urls=("wss://a",), zoom_app_id="zoa_1"
)


def fact(kind, **fields):
    return SessionFact(session_id="app_1", kind=FactKind(kind), **fields)


def life(*facts, state=None, offset=0):
    """Folds facts at offsets counting from `offset`; a `claimed` fact's offset is the epoch of those after it."""
    for entry in facts:
        if entry.epoch == "claim":
            entry = replace(entry, epoch=state.epoch)
        state = sessions.fold(state, entry, offset, 1000 + offset)
        offset += 1
    return state


def requested(**settings):
    return fact(
        "requested", project_id="proj_1", source="api", request=REQUEST, settings=dumps(SessionSettings(**settings))
    )


CLAIMED = fact("claimed", worker="w1")
CONNECTED = fact("connected", epoch="claim")
OVER = fact("stream_over", epoch="claim", reason="meeting_ended")
DISCONNECTED = fact("disconnected", epoch="claim")
STORED = fact("recording_stored", stored=Stored(key="k", size_bytes=5, start_ms=7, duration_ms=9))
WHOLE = (requested(), CLAIMED, CONNECTED, OVER, DISCONNECTED, STORED, fact("transcript_stored"), fact("events_stored"))


def walk(state):
    return [entry.new_state for entry in state.history]


def test_a_meeting_runs_through():
    state = life(*WHOLE)
    assert walk(state) == ["connecting", "connected", "disconnecting", "post_processing", "ended"]
    assert [entry.event_type for entry in state.history] == [
        "app_session_connection_requested",
        "app_session_connected",
        "app_session_disconnect_requested",
        "app_session_disconnected",
        "post_processing_completed",
    ]
    assert (state.recording_state, state.transcription_state) == (Progress.COMPLETE, Progress.COMPLETE)
    assert state.recording.key == "k"
    assert state.epoch == 1
    assert state.folded_offset == 7


@given(st.permutations([STORED, fact("transcript_stored"), fact("events_stored"), DISCONNECTED]))
def test_sinks_may_be_quicker_than_the_worker(order):
    state = life(*WHOLE[:4], *order)
    assert state.state == State.ENDED
    assert [entry.event_type for entry in state.history].count("post_processing_completed") == 1


def test_it_waits_for_everything():
    for missing in range(5, 8):
        state = life(*WHOLE[:missing], *WHOLE[missing + 1 :])
        assert state.state == State.POST_PROCESSING
        assert len(state.awaiting) == 1


def test_a_failure_ends_the_wait_and_is_told():
    state = life(*WHOLE[:5], fact("recording_failed", reason="bucket refused"), *WHOLE[6:])
    assert state.state == State.ENDED
    assert state.recording_state == Progress.FAILED
    assert json.loads(state.history[-1].metadata)["failures"] == ["recording: bucket refused"]
    late = life(STORED, state=state, offset=50)
    assert late.recording_state == Progress.COMPLETE
    assert late.history == state.history


def test_without_recording_nothing_is_awaited_of_it():
    state = life(requested(recording_format=RecordingFormat.NONE), *WHOLE[1:5])
    assert state.awaiting == (Awaited.TRANSCRIPT, Awaited.EVENTS)
    state = life(*WHOLE[6:], state=state, offset=5)
    assert (state.state, state.recording_state) == (State.ENDED, Progress.COMPLETE)


def test_never_connected_ends_with_nothing_awaited():
    state = life(requested(), CLAIMED, fact("end_requested", source="api"), DISCONNECTED)
    assert walk(state)[-2:] == ["post_processing", "ended"]
    assert state.recording_state == Progress.FAILED


def test_connected_after_the_end_was_asked_for_still_waits_for_its_media():
    state = life(requested(), CLAIMED, fact("end_requested", source="api"), CONNECTED, DISCONNECTED)
    assert walk(state) == ["connecting", "disconnecting", "post_processing"]
    assert len(state.awaiting) == 3
    assert life(CONNECTED, state=life(*WHOLE[:4]), offset=9).history == life(*WHOLE[:4]).history


def test_a_refused_connection_is_fatal_and_says_why():
    state = life(requested(), CLAIMED, fact("connection_failed", epoch="claim", reason="INVALID_SIGNATURE"))
    assert state.state == State.FATAL_ERROR
    assert state.history[-1].sub_type == "zoom_connection_failed"
    assert json.loads(state.history[-1].metadata) == {"reason": "INVALID_SIGNATURE"}


def test_deadlines():
    connecting = life(requested(), fact("deadline_passed", reason="connecting"))
    assert (connecting.state, connecting.history[-1].sub_type) == (State.FATAL_ERROR, "connection_timeout")
    total = life(*WHOLE[:3], fact("deadline_passed", reason="total"))
    assert total.state == State.DISCONNECTING
    assert life(*WHOLE[:3], fact("deadline_passed", reason="connecting")).state == State.CONNECTED
    disconnecting = life(*WHOLE[:4], fact("deadline_passed", reason="disconnecting"))
    assert (disconnecting.state, len(disconnecting.awaiting)) == (State.POST_PROCESSING, 3)
    assert json.loads(disconnecting.history[-1].metadata)["reason"] == "not disconnected in time"
    assert life(*WHOLE[:4], fact("deadline_passed", reason="total")).state == State.DISCONNECTING
    never = life(requested(), CLAIMED, fact("end_requested"), fact("deadline_passed", reason="disconnecting"))
    assert never.state == State.ENDED
    processing = life(*WHOLE[:5], fact("deadline_passed", reason="post_processing"))
    assert processing.state == State.ENDED
    assert processing.recording_state == processing.transcription_state == Progress.FAILED


def test_what_a_worker_says_after_losing_its_claim_does_not_count():
    state = life(requested(), CLAIMED, CLAIMED)
    assert state.epoch == 2
    for kind in ("connected", "connection_failed", "stream_over", "disconnected"):
        after = life(fact(kind, epoch=1, reason="x"), state=state, offset=3)
        assert after == replace(state, folded_offset=3)


def test_a_new_claim_keeps_a_connected_session_connected():
    state = life(*WHOLE[:3], CLAIMED, CONNECTED)
    assert walk(state) == ["connecting", "connected"]
    assert state.epoch == 3


def test_facts_are_folded_once():
    state = life(*WHOLE[:4])
    assert life(*WHOLE[:4], state=state) == state


def test_a_second_announcement_moves_a_live_stream_and_leaves_an_ended_one():
    moved = replace(requested(), request=replace(REQUEST, server_urls=("wss://b",)))
    assert life(*WHOLE[:3], moved).request.server_urls == ("wss://b",)
    assert life(*WHOLE, moved).request == REQUEST


def test_holes_are_kept_once_and_bounded():
    hole = Hole(medium="video", from_ms=1, to_ms=2, cause="budget")
    state = life(*WHOLE[:3], fact("hole_found", hole=hole), fact("hole_found", hole=hole), fact("hole_found"))
    assert state.holes == (hole,)
    many = replace(state, holes=tuple(replace(hole, from_ms=10 * n, to_ms=10 * n + 1) for n in range(MAX_HOLES)))
    assert life(fact("hole_found", hole=replace(hole, from_ms=5, to_ms=6)), state=many, offset=9).holes == many.holes
    longer = life(fact("hole_found", hole=replace(hole, from_ms=0, to_ms=3)), state=many, offset=9).holes
    assert len(longer) == MAX_HOLES, "what only lengthens a known one always has room"
    assert replace(hole, from_ms=0, to_ms=3) in longer


def test_a_fact_about_nothing_is_refused():
    assert sessions.fold(None, CLAIMED, 0, 0) is None
    assert sessions.fold(None, fact("requested"), 0, 0) is None


def test_changes_are_what_history_gained():
    before, after = life(*WHOLE[:5]), life(*WHOLE)
    (change,) = sessions.changes(before, after)
    assert (change.sequence, change.change.event_type) == (4, "post_processing_completed")
    assert [change.sequence for change in sessions.changes(None, after)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("state", [state for state in State if state is not State.READY])
@pytest.mark.parametrize("kind", list(FactKind))
def test_every_state_answers_every_fact(state, kind):
    """Total: nothing raises, terminal states stay, and what the table does not name changes nothing."""
    before = replace(life(*WHOLE[:3]), state=state)
    after = sessions.fold(before, fact(kind, epoch=before.epoch, reason="x", worker="w"), 99, 99)
    assert after.folded_offset == 99
    if state in sessions.DELETABLE and kind is FactKind.DATA_DELETED:
        assert after.state == State.DATA_DELETED
    elif state in sessions.TERMINAL:
        assert after.state == state
        assert after.history == before.history
    known = kind in sessions.TABLE[state] or (kind is FactKind.CLAIMED and state in sessions.LIVE)
    if not known:
        assert replace(after, folded_offset=before.folded_offset) == before


@pytest.mark.parametrize("settings", ["", "{", "[]", '{"engines":[]}', '{"engines":["nobody"]}', '{"grid_ms":"x"}'])
def test_settings_that_are_none_stop_nothing(settings):
    """A session lives and ends by the defaults; it is the worker that refuses to connect with them."""
    request = next(entry for entry in WHOLE if entry.kind is FactKind.REQUESTED)
    state = life(replace(request, settings=settings), *(entry for entry in WHOLE if entry is not request))
    assert state.state == State.ENDED


def test_metadata_may_be_replaced_at_any_time():
    for count in range(1, len(WHOLE) + 1):
        before = life(*WHOLE[:count])
        after = life(fact("metadata_replaced", metadata='{"a":"b"}'), state=before, offset=50)
        assert (after.metadata, after.state, after.history) == ('{"a":"b"}', before.state, before.history)


def test_what_was_said_until_a_deletion_is_gone_by_the_logs_clock():
    state = life(*WHOLE[:3], fact("transcript_deleted"), fact("claimed"), fact("transcript_deleted"))
    assert deletion.said_until_ms(state) == 1005
    assert deletion.said_until_ms(life(fact("transcript_deleted"), state=state, offset=6)) == 1006


def test_of_a_session_that_says_nothing_more_all_that_was_said_is_deleted_once():
    for count in range(5, len(WHOLE) + 1):
        state = life(*WHOLE[:count], fact("transcript_deleted"), fact("transcript_deleted"))
        assert deletion.said_until_ms(state) == deletion.EVERYTHING_MS
        assert state.transcript_deletion.asked_at_ms == 1000 + count, "asking again begins nothing anew"


def test_the_receipt_of_a_transcript_is_that_of_the_deletion_asked_for_last():
    state = life(*WHOLE[:3], fact("transcript_deleted"), fact("transcript_deleted"))
    said = [
        fact("data_found", part="rows", stored=Stored(count=9), as_of_ms=1003),  # of the first, and overtaken
        fact("data_erased", part="rows", as_of_ms=1003),
        fact("data_found", part="rows", stored=Stored(count=4), as_of_ms=1004),
        fact("data_erased", part="records", as_of_ms=1004),
        fact("data_erased", part="objects"),  # of all data, which nobody has asked for
    ]
    state = life(*said, state=state, offset=20)
    parts = [(part.part, part.count, part.erased_at_ms) for part in state.transcript_deletion.parts]
    assert parts == [("records", 0, 1023), ("rows", 4, None)]
    assert state.deletion is None


def test_what_is_erased_with_all_data_is_erased_of_a_transcript_too():
    state = life(*WHOLE, fact("transcript_deleted"), fact("data_deleted"))
    state = life(*(fact("data_erased", part=part) for part in Part), state=state, offset=20)
    assert not deletion.missing(state.deletion)
    assert not deletion.missing(state.transcript_deletion, deletion.OF_TRANSCRIPT)


def kept(hours):
    return (requested(retention_hours=hours), *WHOLE[1:])


HOUR_MS = 3_600_000


@pytest.mark.parametrize("ending", [WHOLE[1:], (CLAIMED, fact("connection_failed", epoch="claim", reason="gone"))])
def test_what_was_kept_long_enough_is_deleted_by_the_logs_clock_and_no_other(ending):
    over = life(requested(retention_hours=2), *ending)
    due_ms = retention.due_ms(over)
    assert due_ms == over.history[-1].created_at_ms + 2 * HOUR_MS
    expired = fact("data_deleted", source="sink-clickhouse", reason="retention")
    assert sessions.fold(over, expired, 50, due_ms - 1).deletion is None, "somebody's clock is ahead"
    gone = sessions.fold(over, expired, 51, due_ms)
    assert (gone.state, gone.deletion.reason, gone.deletion.asked_at_ms) == (State.DATA_DELETED, "retention", due_ms)
    assert json.loads(gone.history[-1].metadata) == {"source": "retention", "reason": "retention"}
    assert retention.due_ms(gone) is None


def test_nothing_expires_before_its_end_or_without_a_term():
    expired = fact("data_deleted", reason="retention")
    for count in range(1, len(WHOLE)):
        state = life(*kept(0)[:count])
        assert retention.due_ms(state) is None
        assert sessions.fold(state, expired, 50, 2**60).deletion is None
    assert retention.due_ms(life(*WHOLE)) is None
    assert sessions.fold(life(*WHOLE), expired, 50, 2**60).deletion is None
    assert retention.due_ms(life(*kept(0))) == life(*kept(0)).history[-1].created_at_ms


PAUSED, RESUMED = fact("paused", as_of_ms=500), fact("resumed", as_of_ms=900)


def test_a_pause_is_an_event_and_an_interval_and_no_other_state():
    state = life(*WHOLE[:3], PAUSED)
    assert (state.state, state.recording_state) == (State.CONNECTED, Progress.PAUSED)
    assert (state.history[-1].event_type, state.history[-1].old_state) == ("recording_paused", "connected")
    state = life(RESUMED, state=state, offset=4)
    assert (state.recording_state, state.history[-1].event_type) == (Progress.IN_PROGRESS, "recording_resumed")
    assert state.pauses == (Pause(from_ms=500, to_ms=900),)
    replayed = life(PAUSED, RESUMED, PAUSED, state=state, offset=5)
    assert replace(replayed, folded_offset=state.folded_offset) == state, "whoever says it again says nothing new"


def test_a_pause_that_comes_late_is_known_and_told_to_nobody():
    for count in range(4, len(WHOLE) + 1):
        state = life(*WHOLE[:count], PAUSED, RESUMED)
        assert state.pauses == (Pause(from_ms=500, to_ms=900),)
        assert state.history == life(*WHOLE[:count]).history


def test_a_recording_that_ends_in_a_pause_is_whole():
    state = life(*WHOLE[:3], PAUSED, *WHOLE[3:])
    assert (state.state, state.recording_state) == (State.ENDED, Progress.COMPLETE)


def test_deleting_everything_is_the_last_state_and_leads_nowhere():
    assert life(*WHOLE[:5], fact("data_deleted")).state == State.POST_PROCESSING, "only what is over can be deleted"
    state = life(*WHOLE, fact("data_deleted"))
    assert (state.state, state.recording, deletion.said_until_ms(state)) == (
        State.DATA_DELETED,
        None,
        deletion.EVERYTHING_MS,
    )
    assert (state.history[-1].event_type, state.history[-1].old_state) == ("data_deleted", "ended")
    for late in (STORED, fact("transcript_stored"), fact("data_deleted"), requested(), fact("transcript_deleted")):
        after = life(late, state=state, offset=20)
        assert replace(after, folded_offset=state.folded_offset) == state


REVOKED = fact("data_deleted", source="zoom", reason="consent_revoked")


@pytest.mark.parametrize("count", range(1, len(WHOLE) + 1))
def test_a_revoked_consent_deletes_at_any_time_and_the_session_still_comes_to_its_end(count):
    at_once = life(*WHOLE[:count], REVOKED)
    assert (at_once.deletion.reason, at_once.recording, at_once.awaiting) == ("consent_revoked", None, ())
    over = life(*WHOLE[count:], state=at_once, offset=count + 1)
    assert over.state == State.DATA_DELETED
    assert [step for step in walk(over) if step in sessions.TERMINAL] == ["ended", "data_deleted"]
    assert json.loads(over.history[-1].metadata) == {"source": "zoom", "reason": "consent_revoked"}
    assert (over.recording, over.awaiting) == (None, ()), "what is stored late leads nowhere"


def test_a_session_that_never_connected_can_be_revoked():
    failed = life(requested(), REVOKED, CLAIMED, fact("connection_failed", epoch="claim", reason="gone"))
    assert walk(failed)[-2:] == ["fatal_error", "data_deleted"]


def test_a_worker_that_lost_its_claim_may_still_say_that_the_consent_was_revoked():
    assert life(*WHOLE[:3], CLAIMED, replace(REVOKED, epoch=1)).deletion is not None


def test_a_deletion_is_asked_for_once():
    state = life(*WHOLE, fact("data_deleted"))
    assert life(REVOKED, state=state, offset=20).deletion == state.deletion
    assert life(*WHOLE[:5], fact("data_deleted")).deletion is None, "only what is over can be deleted"


def test_a_receipt_is_folded_of_what_the_sinks_say():
    state = life(*WHOLE, fact("data_deleted"))
    said = [
        fact("data_found", part="objects", stored=Stored(count=3, size_bytes=30)),
        fact("data_found", part="objects", stored=Stored(count=1, size_bytes=10)),  # after a kill: what was left
        fact("data_erased", part="objects"),
        fact("data_erased", part="objects"),
        fact("data_erased", part="a newer release's"),
        fact("data_erased", part="rows"),
    ]
    state = life(*said, state=state, offset=20)
    assert [(p.part, p.count, p.size_bytes, p.erased_at_ms) for p in state.deletion.parts] == [
        ("objects", 3, 30, 1022), ("rows", 0, 0, 1025),
    ]  # fmt: skip
    assert deletion.missing(state.deletion) == {Part.RECORDS}
    assert walk(state)[-1] == "data_deleted"
    assert life(said[0], state=life(*WHOLE), offset=20).deletion is None


KEPT = StoredTrack(track="participant-7", key="t", size_bytes=5, start_ms=7, duration_ms=9, count=2)
LOST = StoredTrack(track="share", reason="segments_missing")


def test_the_tracks_that_a_recording_has_are_known_and_what_is_missing_is_a_failure_once():
    stored = replace(STORED, tracks=(KEPT, LOST), reason="too_many_participants")
    state = life(*WHOLE[:5], stored, stored, *WHOLE[6:])
    assert state.tracks == (KEPT, LOST)
    assert state.failures == ("share: segments_missing", "recording: too_many_participants")
    assert (state.state, state.recording_state) == (State.ENDED, Progress.COMPLETE)
    assert json.loads(state.history[-1].metadata)["failures"] == list(state.failures)


def test_tracks_are_there_though_the_recording_is_not():
    state = life(*WHOLE[:5], fact("recording_failed", reason="segments_missing", tracks=(KEPT,)), *WHOLE[6:])
    assert (state.tracks, state.failures) == ((KEPT,), ("recording: segments_missing",))


def test_nothing_leads_to_the_tracks_of_deleted_data():
    state = life(*WHOLE[:5], replace(STORED, tracks=(KEPT,)), *WHOLE[6:], fact("data_deleted"))
    assert (state.recording, state.tracks) == (None, ())


def test_a_sink_that_knows_no_tracks_takes_none_away():
    state = life(*WHOLE[:5], replace(STORED, tracks=(KEPT, LOST)), STORED, *WHOLE[6:])
    assert (state.tracks, state.failures) == ((KEPT, LOST), ("share: segments_missing",))
