"""Side transcripts in the life of a session: who gets one, how far it is, and what ends it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import archiving, async_transcriptions, retention, sessions
from schemas.async_transcriptions import MOST
from schemas.records import AppSession, FactKind, SessionFact, StreamRequest
from schemas.session_states import Progress, State
from schemas.settings import Engine, RecordingFormat, SessionSettings, dumps

WANTED = dumps(SessionSettings(engines=(Engine.MOONSHINE,)))


def over(**fields):
    request = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
    usual = {
        "session_id": "app_1", "project_id": "p1", "state": State.ENDED, "request": request, "metadata": None,
        "history": (), "settings": dumps(SessionSettings(participant_audio=True)), "recording_state": "complete",
        "transcription_state": "complete", "awaiting": (), "created_at_ms": 1, "epoch": -1, "folded_offset": 0,
    }  # fmt: skip
    return AppSession(**(usual | fields))


def fact(kind, which="tran_1", **fields):
    return SessionFact(
        session_id="app_1", kind=FactKind(f"async_transcription_{kind}"), transcription_id=which, **fields
    )


def asked(which="tran_1"):
    return fact("requested", which, settings=WANTED)


DELETED = SessionFact(session_id="app_1", kind=FactKind.DATA_DELETED)
WORDS_DELETED = SessionFact(session_id="app_1", kind=FactKind.TRANSCRIPT_DELETED)


def life(*facts, state=None):
    state = state or over()
    for entry in facts:
        offset = state.folded_offset + 1
        state = sessions.fold(state, entry, offset, 1000 + offset)
    return state


def progress(state):
    return [one.state for one in state.async_transcriptions]


def told(state):
    entries = [entry for entry in state.history if entry.event_type == async_transcriptions.CHANGED]
    assert all(entry.old_state == entry.new_state for entry in entries)
    return [json.loads(entry.metadata) for entry in entries]


def test_one_is_asked_for_begun_and_stored():
    state = life(asked())
    [one] = state.async_transcriptions
    assert (one.state, one.settings, one.created_at_ms, told(state)) == ("not_started", WANTED, 1001, [])
    state = life(fact("begun"), fact("stored"), state=state)
    assert (progress(state), state.state) == (["complete"], "ended")
    assert state.async_transcriptions[0].updated_at_ms == 1003
    assert told(state) == [
        {"id": "tran_1", "state": "in_progress", "failure_data": None},
        {"id": "tran_1", "state": "complete", "failure_data": None},
    ]


def test_why_it_failed_is_said():
    state = life(asked(), fact("begun"), fact("failed", reason="credentials_invalid,timed_out"))
    assert told(state)[-1] == {
        "id": "tran_1", "state": "failed", "failure_data": {"failure_reasons": ["credentials_invalid", "timed_out"]},
    }  # fmt: skip


def test_a_complete_one_says_what_sound_it_lacks():
    state = life(asked(), fact("stored", reason=async_transcriptions.SOUND_MISSING))
    assert progress(state) == ["complete"]
    assert told(state)[-1]["failure_data"] == {"failure_reasons": ["stored_audio_missing"]}


def test_whoever_repeats_himself_changes_nothing():
    once = life(asked(), fact("begun"), fact("stored"))
    again = life(asked(), fact("begun"), fact("failed", reason="timed_out"), fact("stored"), state=once)
    assert (again.async_transcriptions, again.history) == (once.async_transcriptions, once.history)


def test_the_log_decides_who_gets_the_last_place():
    state = life(*(asked(f"tran_{number}") for number in range(MOST + 2)))
    assert [one.transcription_id for one in state.async_transcriptions] == [f"tran_{number}" for number in range(MOST)]


@pytest.mark.parametrize(
    "state",
    [over(settings=dumps(SessionSettings())), life(WORDS_DELETED), life(DELETED), over(state=State.FATAL_ERROR),
     over(state=State.POST_PROCESSING), over(state=State.CONNECTED),
     over(settings=dumps(SessionSettings(participant_audio=True, recording_format=RecordingFormat.NONE))),
     over(settings=dumps(SessionSettings(participant_audio=True, mixed_audio=True)))],
)  # fmt: skip
def test_nobody_gets_one_of_what_cannot_be_heard_again(state):
    assert life(asked(), state=state).async_transcriptions == ()


@pytest.mark.parametrize(("deletion", "last"), [(DELETED, State.DATA_DELETED), (WORDS_DELETED, State.ENDED)])
def test_what_is_deleted_ends_what_is_unfinished(deletion, last):
    state = life(asked(), fact("begun"), asked("tran_2"), fact("stored"), asked("tran_3"), deletion)
    assert (progress(state), state.state) == (["complete", "failed", "failed"], last)
    assert told(state)[-1]["failure_data"] == {"failure_reasons": ["data_deleted"]}
    after = life(fact("begun", "tran_3"), fact("stored", "tran_3"), state=state)
    assert after.async_transcriptions == state.async_transcriptions


def test_a_session_is_settled_when_its_side_transcripts_are_finished():
    assert archiving.is_settled(over())
    assert not archiving.is_settled(life(asked()))
    assert not archiving.is_settled(life(asked(), fact("begun")))
    assert archiving.is_settled(life(asked(), fact("begun"), fact("stored")))


def test_an_archived_session_comes_back_with_them():
    state = life(asked(), fact("stored"))
    recalled = SessionFact(session_id="app_1", kind=FactKind.RECALLED, document=archiving.as_document(state))
    back = sessions.fold(None, recalled, 9, 1)
    assert back.async_transcriptions == state.async_transcriptions


def test_they_do_not_make_the_session_any_younger():
    settings = dumps(SessionSettings(participant_audio=True, retention_hours=1))
    post = over(state=State.POST_PROCESSING, settings=settings, awaiting=("events",), connected_once=True)
    ended = life(SessionFact(session_id="app_1", kind=FactKind.EVENTS_STORED), state=post)
    due_ms = retention.due_ms(ended)
    assert due_ms == ended.history[-1].created_at_ms + retention.HOUR_MS
    assert retention.due_ms(life(asked(), fact("begun"), fact("stored"), state=ended)) == due_ms


FACTS = [asked("tran_1"), asked("tran_2"), *(
    fact(kind, which) for kind in ("begun", "stored", "failed") for which in ("tran_1", "tran_2", "tran_9")
), DELETED, WORDS_DELETED]  # fmt: skip


@given(st.lists(st.sampled_from(FACTS)))
def test_whatever_is_stated_in_whatever_order(facts):
    state = over()
    for entry in facts:
        before = state
        state = life(entry, state=before)
        known = {one.transcription_id: one for one in state.async_transcriptions}
        for one in before.async_transcriptions:
            was_over = one.state in (Progress.COMPLETE, Progress.FAILED)
            assert known[one.transcription_id] == one or not was_over, "what is over stays as it is"
        changes = sessions.changes(before, state)
        moved = [one for one in state.async_transcriptions if one not in before.async_transcriptions
                 and one.state != Progress.NOT_STARTED]  # fmt: skip
        named = [json.loads(item.change.metadata).get("id") for item in changes
                 if item.change.event_type == async_transcriptions.CHANGED]  # fmt: skip
        assert sorted(named) == sorted(one.transcription_id for one in moved), "each change is told once"
    is_deleted = state.deletion is not None or state.transcript_deletion is not None
    assert not (is_deleted and async_transcriptions.unfinished(state))
