"""Who may have a session transcribed once more, what is answered, and how the side transcript is read."""

import json
from dataclasses import replace

import pytest

from api.errors import ApiError
from api.transcripts.asynchronous import complete, names_parameters, refusal, settings_of, with_names
from schemas import async_transcriptions
from schemas.records import AsyncTranscription, Deletion
from schemas.settings import Engine, loads
from tests.unit.schemas.test_async_transcriptions import asked, fact, life, over

ONE = {"transcription_settings": ["Name exactly one provider, and none that needs the meeting."]}


def wanted(**providers):
    return {"transcription_settings": providers}


def error(call, *arguments):
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value.status, caught.value.body


def refused(session):
    found = refusal(session)
    assert found.status == 400
    return found.body["error"]


def test_one_provider_with_what_it_wants():
    settings = loads(settings_of(wanted(deepgram={"model": "nova-3", "language": "de"})))
    assert settings.engines == (Engine.DEEPGRAM,)
    assert json.loads(settings.engine_options) == {"deepgram": {"model": "nova-3", "language": "de"}}
    settings = loads(settings_of(wanted(moonshine={"language": "en"})))
    assert (settings.engines, settings.language) == ((Engine.MOONSHINE,), "en")


@pytest.mark.parametrize(("body", "expected"), [
    ({}, {"transcription_settings": ["This field is required."]}),
    (wanted(), ONE),
    (wanted(meeting_closed_captions={}), ONE),
    (wanted(moonshine={}, openai={"model": "m"}), ONE),
    (wanted(moonshine={}, meeting_closed_captions={}), ONE),
    ({"transcription_settings": None}, {"transcription_settings": ["This field may not be null."]}),
    ({"transcription_settings": 3}, {"transcription_settings": ["3 is not of type 'object'"]}),
    (wanted(openai={}), {"transcription_settings": ["'model' is a required property"]}),
])  # fmt: skip
def test_what_names_no_provider_that_can_be_asked_is_a_mistake(body, expected):
    assert error(settings_of, body) == (400, expected)


def test_the_operators_transcriber_is_asked_where_there_is_one():
    asked_for = wanted(custom_async={})
    assert loads(settings_of(asked_for)).engines == (Engine.CUSTOM_ASYNC,)
    with pytest.raises(ApiError, match="400") as caught:
        settings_of(asked_for, has_custom_async=False)
    assert "RTMS_CUSTOM_ASYNC_URL" in str(caught.value.body)


def test_nobody_is_called_back_about_what_was_recorded():
    status, body = error(settings_of, wanted(deepgram={"callback": "https://example.com/heard"}))
    assert status == 400
    assert "callback" in str(body) or "call back" in str(body)


def test_other_fields_are_a_mistake():
    status, body = error(settings_of, wanted(moonshine={}) | {"more": 1})
    assert status == 400
    assert "Unexpected field(s): more." in str(body)


def test_who_can_be_transcribed_once_more():
    assert refusal(over()) is None
    assert refusal(life(asked(), asked("tran_2"), asked("tran_3"))) is None


@pytest.mark.parametrize(("session", "text"), [
    (over(state="connected"), "A session in state connected cannot be transcribed once more. Wait for ended"),
    (over(state="fatal_error"), "A session in state fatal_error cannot"),
    (over(settings="{}"), "This session kept no audio to be transcribed: create it with "
                          "record_async_transcription_audio_chunks in recording_settings."),
    (over(settings='{"participant_audio":true,"recording_format":"none"}'), "This session kept no audio"),
    (life(*(asked(f"tran_{n}") for n in range(4))), "This session has 4 async transcriptions already"),
    (over(state="data_deleted", deletion=Deletion(reason="asked", asked_at_ms=1)), "The data of this session was"),
    (over(transcript_deletion=Deletion(reason="asked", asked_at_ms=1)), "The transcript of this session was deleted"),
])  # fmt: skip
def test_who_cannot(session, text):
    assert refused(session).startswith(text)
    assert not async_transcriptions.can_be_had(session), "the log says the same"


def test_what_can_be_read():
    state = life(asked(), fact("begun"))
    assert error(complete, state, "tran_9") == (404, {"error": "Async Transcription not found"})
    assert error(complete, life(asked()), "tran_1") == (
        400, {"error": "The async transcription is not complete: it is not_started. Ask again later."},
    )  # fmt: skip
    assert error(complete, state, "tran_1")[1]["error"].endswith("it is in_progress. Ask again later.")
    assert complete(life(fact("stored"), state=state), "tran_1") == "tran_1"
    failed = life(fact("failed", reason="timed_out"), state=state)
    assert error(complete, failed, "tran_1") == (
        400, {"error": "The async transcription has failed (timed_out). Ask for another one."},
    )  # fmt: skip


def test_speakers_have_the_names_that_they_had_last():
    rows = [{"participant_id": 7, "participant_name": None, "text": "a"},
            {"participant_id": 8, "participant_name": None, "text": "b"}]  # fmt: skip
    named = with_names(rows, [{"participant_id": 7, "name": "Ada"}, {"participant_id": 5, "name": "Bo"}])
    assert [(row["participant_name"], row["text"]) for row in named] == [("Ada", "a"), (None, "b")]
    assert names_parameters(over())["session_id"] == "app_1"


def test_a_state_of_a_newer_release_is_not_taken_for_complete():
    odd = AsyncTranscription(transcription_id="tran_1", settings="{}", state="x", created_at_ms=1, updated_at_ms=1)
    assert error(complete, replace(over(), async_transcriptions=(odd,)), "tran_1")[0] == 400
