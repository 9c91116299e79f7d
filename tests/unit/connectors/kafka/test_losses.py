"""For which sessions a loss is stated, and as what."""

from connectors.kafka.losses import awaiting, facts_of_loss, unfinished
from connectors.kafka.records import Place
from schemas import topics
from schemas.records import AppSession, FactKind, Hole, StreamRequest
from schemas.sessions import Awaited, State

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")


def session(state: State, *waiting: Awaited, created_at_ms: int = 1000) -> AppSession:
    return AppSession(
        session_id=f"app_{state}", project_id="p", state=state, request=REQUEST, settings="{}", metadata=None,
        history=(), recording_state="", transcription_state="", awaiting=waiting, created_at_ms=created_at_ms, epoch=0,
        folded_offset=0,
    )  # fmt: skip


def test_a_loss_is_a_hole_as_long_as_it_can_be_for_every_session_that_is_old_enough():
    old, young = session(State.CONNECTED), session(State.CONNECTED, created_at_ms=5000)
    [fact] = facts_of_loss(Place(topics.AUDIO.name, 3), 5000, "muxing", [old, young])
    assert (fact.session_id, fact.kind, fact.source) == (old.session_id, FactKind.HOLE_FOUND, "muxing")
    assert fact.hole == Hole(medium="audio", from_ms=1000, to_ms=5000, cause="retention: not read by muxing")
    [fact] = facts_of_loss(Place(topics.RECORDING_SEGMENTS.name, 3), 5000, "sink-objects", [old])
    assert fact.hole is not None
    assert fact.hole.medium == "recording-segments"


def test_a_result_that_is_complete_or_was_given_up_lacks_nothing():
    concerned = awaiting(Awaited.TRANSCRIPT)
    assert concerned(session(State.CONNECTED, Awaited.RECORDING, Awaited.TRANSCRIPT))
    assert not concerned(session(State.POST_PROCESSING, Awaited.RECORDING))
    assert not concerned(session(State.CONNECTING))


def test_facts_are_missed_by_every_session_that_is_not_over():
    assert [state for state in State if unfinished(session(state))] == [
        state for state in State if state not in (State.ENDED, State.FATAL_ERROR, State.DATA_DELETED)
    ]
