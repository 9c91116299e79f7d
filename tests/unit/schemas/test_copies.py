"""The copy of a recording in the customer's own bucket, in a session's life."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schemas import deletion, recordings, sessions
from schemas.records import AppSession, FactKind, SessionFact, Stored, StreamRequest
from schemas.sessions import Awaited, Progress, State
from schemas.settings import RecordingFormat, SessionSettings, dumps

REQUEST = StreamRequest(
    product="meeting", meeting_id="m==", stream_id="s", server_urls=("wss://a",), zoom_app_id="zoa_1"
)
COPY = Stored(key="acme/1.mp4", size_bytes=5)


def fact(kind: str, **fields: object) -> SessionFact:
    return SessionFact(session_id="app_1", kind=FactKind(kind), **fields)  # type: ignore[arg-type]


def requested(recording_format: RecordingFormat = RecordingFormat.MP4) -> SessionFact:
    wanted = SessionSettings(copy_bucket="acme", recording_format=recording_format)
    return fact("requested", project_id="proj_1", source="api", request=REQUEST, settings=dumps(wanted))


COPIED = fact("recording_copied", stored=COPY)
WHOLE = (
    requested(), fact("claimed", worker="w1"), fact("connected", epoch=1), fact("stream_over", epoch=1),
    fact("disconnected", epoch=1), fact("recording_stored", stored=Stored(key="k", size_bytes=5)),
    fact("transcript_stored"), fact("events_stored"),
)  # fmt: skip


def life(*facts: SessionFact, state: AppSession | None = None, offset: int = 0) -> AppSession:
    """Folds facts at offsets counting from `offset`; the claim is the second of a whole life."""
    for at, entry in enumerate(facts, offset):
        state = sessions.fold(state, entry, at, 1000 + at)
    assert state is not None
    return state


@given(st.permutations([COPIED, *WHOLE[4:]]))
def test_it_is_awaited(order: list[SessionFact]) -> None:
    state = life(*WHOLE[:4], *order)
    assert (state.state, state.external_copy, state.failures) == (State.ENDED, COPY, ())
    without = life(*WHOLE)
    assert (without.state, without.awaiting, without.awaits_copy) == (State.POST_PROCESSING, (), True)


def test_one_that_was_not_made_is_told_and_the_recording_is_none_the_worse() -> None:
    state = life(*WHOLE, fact("recording_copy_failed", reason="access_denied"))
    assert (state.state, state.recording_state, state.external_copy) == (State.ENDED, Progress.COMPLETE, None)
    assert json.loads(state.history[-1].metadata)["failures"] == ["external_media_storage: access_denied"]
    late = life(*WHOLE, fact("deadline_passed", reason="post_processing"))
    assert (late.state, late.failures) == (State.ENDED, ("external_media_storage: not stored in time",))
    assert recordings.is_to_be_copied(late), "a bucket that is back by then has it all the same"
    assert life(COPIED, state=late, offset=20).external_copy == COPY


def test_nothing_is_copied_of_a_recording_that_failed_or_that_nobody_wants() -> None:
    failed = life(*WHOLE[:5], fact("recording_failed", reason="no_media"), *WHOLE[6:])
    assert (failed.state, failed.failures) == (State.ENDED, ("recording: no_media",))
    none = life(requested(RecordingFormat.NONE), *WHOLE[1:3])
    assert (none.awaiting, none.awaits_copy) == ((Awaited.TRANSCRIPT, Awaited.EVENTS), False)


def test_it_is_known_of_after_a_deletion_and_nothing_more_is_awaited_of_it() -> None:
    begun = life(*WHOLE[:6], fact("data_deleted", reason=deletion.CONSENT_REVOKED))
    assert (begun.state, begun.awaiting, begun.awaits_copy) == (State.DATA_DELETED, (), False)
    assert life(COPIED, state=begun, offset=20).external_copy == COPY
    made = life(*WHOLE, COPIED, fact("data_deleted"))
    assert (made.state, made.recording, made.external_copy) == (State.DATA_DELETED, None, COPY)


FIRST_RELEASE = frozenset({"recording", "transcript", "events"})
"""What the first release takes as awaited: it cannot end a session whose state lists anything else."""


@given(st.permutations([COPIED, *WHOLE[4:], fact("recording_copy_failed", reason="x")]))
def test_an_earlier_release_can_go_on_with_every_state(order: list[SessionFact]) -> None:
    state = life(*WHOLE[:4])
    for at, entry in enumerate(order, 10):
        state = life(entry, state=state, offset=at)
        assert state.awaiting == tuple(word for word in state.awaiting if word in FIRST_RELEASE)
        as_it_reads = replace(state, awaits_copy=False)
        over = life(*WHOLE[4:5], fact("deadline_passed", reason="post_processing"), state=as_it_reads, offset=at + 1)
        assert over.state == State.ENDED


def test_what_only_a_newer_release_awaits_keeps_no_session_from_its_end() -> None:
    waits = replace(life(*WHOLE[:7]), awaiting=("summary", "events"))
    still = life(fact("events_stored"), COPIED, state=waits, offset=20)
    assert (still.state, still.awaiting) == (State.POST_PROCESSING, ("summary",))
    over = life(fact("deadline_passed", reason="post_processing"), state=still, offset=30)
    assert (over.state, over.failures) == (State.ENDED, ("summary: not stored in time",))
