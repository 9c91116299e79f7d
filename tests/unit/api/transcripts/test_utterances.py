"""Transcripts: whose, which, and in what form."""

from dataclasses import replace

import pytest

from api.errors import ApiError
from api.transcripts.utterances import documents, engine_of, format_of, parameters, vtt
from schemas import ids
from schemas.records import AppSession, Deletion, Stored, StreamRequest
from schemas.settings import Engine, SessionSettings, dumps

ROW = {
    "utterance_id": "utt_1", "participant_id": 7, "participant_name": "Ada", "start_ms": 5_000, "end_ms": 6_500,
    "language": "en", "text": "hello", "recognised_by": None, "model": None, "words": "[]",
}  # fmt: skip


def session(*engines, recording=None):
    return AppSession(
        session_id="app_1", project_id="p1", state="ended", settings=dumps(SessionSettings(engines=engines)),
        metadata=None, history=(), recording=recording,
        request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
        recording_state="", transcription_state="", awaiting=(), created_at_ms=1, epoch=-1, folded_offset=0,
    )  # fmt: skip


def refusal(call):
    with pytest.raises(ApiError) as caught:
        call()
    assert caught.value.status == 400
    return caught.value.body["error"]


def test_of_deleted_data_nothing_is_read_whenever_it_was_written():
    revoked = replace(session(Engine.ZOOM), deletion=Deletion(reason="consent_revoked", asked_at_ms=1))
    assert parameters(revoked, Engine.ZOOM, None)["deleted_ms"] > 2**61


def test_the_local_recogniser_comes_before_captions():
    assert engine_of(session(Engine.ZOOM), None) is Engine.ZOOM
    assert engine_of(session(Engine.ZOOM, Engine.MOONSHINE), None) is Engine.MOONSHINE
    assert engine_of(session(Engine.ZOOM, Engine.MOONSHINE), "zoom") is Engine.ZOOM


@pytest.mark.parametrize("named", ["moonshine", "deepgram", ""])
def test_an_engine_the_session_has_not_is_refused(named):
    assert "It has: zoom" in refusal(lambda: engine_of(session(Engine.ZOOM), named))


def test_who_stands_in_for_another_has_no_transcript_of_its_own():
    all_three = session(Engine.ZOOM, Engine.MOONSHINE, Engine.OPENAI)
    assert engine_of(all_three, None) is Engine.OPENAI
    assert engine_of(all_three, "zoom") is Engine.ZOOM
    assert "It has: openai, zoom" in refusal(lambda: engine_of(all_three, "moonshine"))


def test_words_have_their_times_and_their_recogniser():
    words = '[{"word":"hello","start_ms":5040,"end_ms":6500}]'
    [said] = documents("app_1", Engine.OPENAI, [ROW | {"words": words, "model": "m", "recognised_by": "moonshine"}])
    assert said["transcription"] == {
        "transcript": "hello", "words": [{"word": "hello", "start": 0.04, "end": 1.5}],
    }  # fmt: skip
    assert (said["engine"], said["recognised_by"], said["model"]) == ("openai", "moonshine", "m")


@pytest.mark.parametrize(
    ("named", "accept", "form"),
    [(None, "", "json"), (None, "*/*", "json"), (None, "text/vtt", "vtt"), (None, "text/vtt;q=0.9, */*", "vtt"),
     (None, "application/json, text/vtt", "json"), ("vtt", "application/json", "vtt"), ("json", "text/vtt", "json")],
)  # fmt: skip
def test_forms(named, accept, form):
    assert format_of(named, accept) == form


def test_an_unknown_form_is_refused():
    assert "Unknown format" in refusal(lambda: format_of("srt", ""))


def test_updated_after():
    everything = parameters(session(Engine.ZOOM), Engine.ZOOM, None)
    assert (everything["updated_after_ms"], everything["changes"]) == (-1, False)
    assert parameters(session(Engine.ZOOM), Engine.ZOOM, "1960-01-01T00:00:00Z")["changes"]
    assert parameters(session(Engine.ZOOM), Engine.ZOOM, "1970-01-01T00:00:01Z")["updated_after_ms"] == 1000
    assert "Invalid updated_after format" in refusal(lambda: parameters(session(Engine.ZOOM), Engine.ZOOM, "soon"))


def test_the_shape_clients_know():
    assert documents("app_1", Engine.ZOOM, [ROW]) == [
        {
            "speaker_name": "Ada",
            "speaker_uuid": ids.participant_uuid("app_1", 7),
            "speaker_user_uuid": None,
            "speaker_is_host": False,
            "timestamp_ms": 5_000,
            "duration_ms": 1_500,
            "transcription": {"transcript": "hello"},
            "id": "utt_1",
            "engine": "zoom",
            "recognised_by": "zoom",
            "model": None,
            "language": "en",
        }
    ]


def test_vtt_runs_on_the_recordings_clock():
    assert "00:00:03.000 --> 00:00:04.500" in vtt(session(Engine.ZOOM, recording=Stored(start_ms=2_000)), [ROW])
    assert "00:00:00.000 --> 00:00:01.500" in vtt(session(Engine.ZOOM), [ROW])
    assert vtt(session(Engine.ZOOM), []) == "WEBVTT\n"


def test_of_what_was_deleted_there_is_no_subtitle_and_no_time_counts_from_it():
    deleted = ROW | {"text": "", "start_ms": 1_000}
    assert vtt(session(Engine.ZOOM), [deleted, ROW]) == vtt(session(Engine.ZOOM), [ROW])
