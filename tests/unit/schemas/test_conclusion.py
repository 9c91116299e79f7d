"""What the last event of a session says of it."""

import json
from dataclasses import replace

import pytest

from schemas.conclusion import metadata, utterances_failed
from schemas.records import AppSession, SessionFact
from schemas.sessions import State, fold
from tests.unit.schemas.test_sessions import WHOLE, fact


def ended(*facts: SessionFact, step_ms: int = 1000) -> AppSession:
    """A session whose facts were appended `step_ms` after each other."""
    state = None
    for offset, entry in enumerate(facts):
        if entry.epoch == "claim":
            assert state is not None
            entry = replace(entry, epoch=state.epoch)
        state = fold(state, entry, offset, 1_700_000_000_000 + offset * step_ms)
    assert state is not None
    assert state.state == State.ENDED
    return state


def told(state: AppSession) -> dict[str, object]:
    found: dict[str, object] = json.loads(state.history[-1].metadata)
    assert found == metadata(state)
    return found


def with_transcript(*facts: SessionFact) -> tuple[SessionFact, ...]:
    return (*(entry for entry in WHOLE if entry.kind != "transcript_stored"), *facts)


def test_for_how_long_it_was_connected_in_whole_seconds() -> None:
    kinds = [str(entry.kind) for entry in WHOLE]
    steps = kinds.index("disconnected") - kinds.index("connected")
    for step_ms in (1000, 1999, 1):
        seconds = told(ended(*WHOLE, step_ms=step_ms))["bot_duration_seconds"]
        assert seconds == steps * step_ms // 1000
        assert type(seconds) is int, "a float would be signed as another text"


@pytest.mark.parametrize(
    ("reason", "errors"),
    [
        (utterances_failed(2, 9, {"timed_out", "credentials_not_found"}), ["credentials_not_found", "timed_out"]),
        (f"rows_missing: 1 of 9, {utterances_failed(2, 8, {'internal_error'})}", ["internal_error"]),
        ("rows_missing: 1 of 9", None),
        ("utterances_failed: 2 of 9", None),
    ],
)
def test_why_words_are_missing(reason: str, errors: list[str] | None) -> None:
    state = ended(*with_transcript(fact("transcript_failed", reason=reason)))
    assert told(state).get("transcription_errors") == errors
    assert told(state)["failures"] == [f"transcript: {reason}"]


def test_words_that_nobody_waits_for_any_more() -> None:
    state = ended(*with_transcript(fact("deadline_passed", reason="post_processing")))
    assert told(state)["transcription_errors"] == ["utterances_still_in_progress_when_recording_terminated"]


def test_a_whole_session_says_nothing_of_errors() -> None:
    assert told(ended(*WHOLE)).keys() == {"bot_duration_seconds"}
