"""The recording as its view asks for it, in a session's life."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import archiving, recordings
from schemas.records import AppSession, SessionFact, Stored, StoredTrack
from schemas.sessions import Progress, State
from schemas.settings import COMPOSED, RecordingFormat, RecordingView, SessionSettings, dumps, readable
from tests.unit.schemas.test_copies import REQUEST, fact, life

MADE = Stored(key="c", size_bytes=7)
ITSELF = Stored(key="k", size_bytes=5)
FILM = StoredTrack(track="share", key="s", count=2)
DRAWN = fact("recording_composed", stored=MADE)
STORED = fact("recording_stored", stored=ITSELF, tracks=(FILM,))
LATE = fact("deadline_passed", reason="post_processing")


def requested(view: RecordingView = RecordingView.SIDE_BY_SIDE, **settings: object) -> SessionFact:
    wanted = SessionSettings(recording_view=view, **settings)  # type: ignore[arg-type]
    return fact("requested", project_id="proj_1", source="api", request=REQUEST, settings=dumps(wanted))


BEFORE = (fact("claimed", worker="w1"), fact("connected", epoch=1), fact("stream_over", epoch=1))
REST = (fact("disconnected", epoch=1), fact("transcript_stored"), fact("events_stored"))
WHOLE = (requested(), *BEFORE, *REST, STORED)


def shown(state: AppSession) -> str | None:
    found = recordings.whole(state)
    return None if found is None else found.key


@given(st.permutations([*REST, STORED, DRAWN]))
def test_it_is_awaited_and_shown(order: list[SessionFact]) -> None:
    """But for a fact from nowhere: nobody can draw what is not stored."""
    state = life(*WHOLE[:4], *order)
    assert (state.state, state.composed, state.failures, shown(state)) == (State.ENDED, MADE, (), "c")
    assert not recordings.is_to_be_composed(state)
    without = life(*WHOLE)
    assert (without.state, without.awaiting, shown(without)) == (State.POST_PROCESSING, (), None)
    assert recordings.is_to_be_composed(without)


def test_where_nobody_shared_a_screen_the_recording_is_what_is_asked_for() -> None:
    for tracks in ((), (replace(FILM, key=None, reason="segments_missing"),)):
        state = life(*WHOLE[:-1], replace(STORED, tracks=tracks))
        assert (state.state, shown(state)) == (State.ENDED, "k")
        assert not recordings.is_to_be_composed(state)


def test_one_that_was_not_made_is_told_and_the_recording_is_none_the_worse() -> None:
    state = life(*WHOLE, fact("recording_composing_failed", reason="segments_missing"))
    assert (state.state, state.recording_state, shown(state)) == (State.ENDED, Progress.COMPLETE, "k")
    assert json.loads(state.history[-1].metadata)["failures"] == ["composed_view: segments_missing"]
    assert not recordings.is_to_be_composed(state)


def test_one_that_takes_too_long_is_given_up_and_welcome_later() -> None:
    state = life(*WHOLE, LATE)
    assert (state.state, state.failures, shown(state)) == (
        State.ENDED, ("composed_view: not stored in time",), "k",
    )  # fmt: skip
    assert recordings.is_to_be_composed(state)
    assert shown(life(DRAWN, state=state, offset=20)) == "c"
    failed = life(fact("recording_composing_failed", reason="unreadable"), state=state, offset=20)
    assert failed.failures[1:] == ("composed_view: unreadable",)
    assert not recordings.is_to_be_composed(failed)


def test_nothing_is_drawn_of_a_recording_that_failed_or_is_deleted() -> None:
    failed = life(*WHOLE[:-1], fact("recording_failed", reason="no_media"))
    assert (failed.state, failed.failures) == (State.ENDED, ("recording: no_media",))
    for state in (life(*WHOLE, DRAWN, fact("data_deleted")), life(*WHOLE, LATE, fact("data_deleted"))):
        assert (state.state, state.composed, shown(state)) == (State.DATA_DELETED, None, None)
        assert not recordings.is_to_be_composed(state)
        assert life(DRAWN, state=state, offset=20).composed is None


@pytest.mark.parametrize("view", RecordingView)
def test_only_views_that_have_to_be_drawn_are_awaited(view: RecordingView) -> None:
    for recording_format in RecordingFormat:
        state = life(requested(view, recording_format=recording_format), *BEFORE)
        is_drawn = view in COMPOSED and recording_format is RecordingFormat.MP4
        assert state.awaits_composing is is_drawn


def test_an_earlier_release_can_go_on_without_it() -> None:
    """It does not know of what is awaited beside the list, nor of the view: then the screen instead of the speaker."""
    state = replace(life(*WHOLE[:-2]), awaits_composing=False)
    over = life(*WHOLE[-2:], state=state, offset=20)
    assert (over.state, shown(over)) == (State.ENDED, "k")
    newer = dumps(SessionSettings(language="ja")).replace("speaker_view", "a_view_of_tomorrow", 1)
    assert readable(newer) == SessionSettings(language="ja")


def test_who_copies_waits_for_it() -> None:
    state = life(requested(copy_bucket="acme"), *BEFORE, *REST, STORED)
    assert state.awaits_copy
    assert shown(state) is None
    drawn = life(DRAWN, state=state, offset=20)
    assert (drawn.awaits_copy, shown(drawn), drawn.state) == (True, "c", State.POST_PROCESSING)
    assert (recordings.is_to_be_copied(state), recordings.is_to_be_copied(drawn)) == (False, True)
    late = life(LATE, state=state, offset=20)
    assert late.failures == ("external_media_storage: not stored in time", "composed_view: not stored in time")
    assert (late.awaits_copy, late.state) == (False, State.ENDED)


@pytest.mark.parametrize("drawn", [DRAWN, fact("recording_composing_failed", reason="unreadable")])
def test_a_view_that_is_late_is_copied_late_or_what_is_shown_instead(drawn: SessionFact) -> None:
    """Not the recording of the speaker first: under the customer's name stands one thing, once."""
    late = life(requested(copy_bucket="acme"), *BEFORE, *REST, STORED, LATE)
    assert not recordings.is_to_be_copied(late)
    there = life(drawn, state=late, offset=20)
    assert recordings.is_to_be_copied(there)
    assert shown(there) == ("c" if drawn is DRAWN else "k")
    copied = life(fact("recording_copied", stored=Stored(key="acme/1.mp4")), state=there, offset=30)
    refused = life(fact("recording_copy_failed", reason="access_denied"), state=there, offset=30)
    assert copied.external_copy == Stored(key="acme/1.mp4")
    assert refused.failures[-1] == "external_media_storage: access_denied"
    for over in (copied, refused, life(fact("data_deleted"), state=there, offset=30)):
        assert not recordings.is_to_be_copied(over)
        again = life(fact("recording_copy_failed", reason="timed_out"), state=over, offset=40)
        assert again.failures == over.failures, "what nobody does any more cannot fail"


def test_what_is_late_keeps_its_session_in_the_log() -> None:
    """Nobody draws or copies what is in ClickHouse alone."""
    late = life(requested(copy_bucket="acme"), *BEFORE, *REST, STORED, LATE)
    drawn = life(DRAWN, state=late, offset=20)
    copied = life(fact("recording_copied", stored=Stored(key="acme/1.mp4")), state=drawn, offset=30)
    given_up = life(fact("recording_copy_failed", reason="timed_out"), state=drawn, offset=30)
    assert [archiving.is_settled(one) for one in (late, drawn, copied, given_up)] == [False, False, True, True]
