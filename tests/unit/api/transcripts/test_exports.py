"""Transcripts as files."""

import json
import re
from pathlib import PurePosixPath

import pytest

from api.errors import ApiError
from api.transcripts.exports import FORMATS, after, export_of, format_of, headers
from schemas.records import Stored
from schemas.settings import Engine
from tests.unit.api.transcripts.conftest import SAID, session

LOST = SAID | {"utterance_id": "utt_2", "start_ms": 7_000, "text": "", "status": "failed", "reason": "timed_out"}


def written(name, rows, of=None, at_a_time=1000):
    form, export, count = FORMATS[name], export_of(of or session(), Engine.ZOOM, rows), 0
    parts = [form.head(export)]
    for start in range(0, len(rows), at_a_time):
        text, count = form.entries(rows[start : start + at_a_time], export, count)
        parts.append(text)
    return "".join([*parts, form.tail])


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_the_same_however_many_rows_are_read_at_a_time(name):
    rows = [SAID, LOST, SAID | {"text": "\n"}, SAID | {"text": "bye", "start_ms": 9_000}]
    assert written(name, rows, at_a_time=1) == written(name, rows, at_a_time=3) == written(name, rows)


def test_files():
    head = "Transcript of app_1 by zoom\nTimes count from 1970-01-01T00:00:05.000000Z.\n"
    assert written("vtt", [SAID, LOST]) == "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500\n<v Ada>hello\n"
    assert written("srt", [LOST, SAID]) == "1\n00:00:00,000 --> 00:00:00,001\nAda: hello\n\n"
    assert written("txt", [SAID, LOST]) == f"{head}\n[00:00:00] Ada: hello\n[00:00:02] Ada: [not transcribed]\n"
    head = "# Transcript of app\\_1 by zoom\n\nTimes count from 1970-01-01T00:00:05.000000Z.\n"
    assert written("md", [SAID]) == f"{head}\n`00:00:00` **Ada:** hello\n"
    said, lost = json.loads(written("json", [SAID, LOST]))["utterances"]
    assert (said["transcription"], said["status"], said["reason"]) == ({"transcript": "hello"}, "final", None)
    assert (lost["transcription"], lost["status"], lost["reason"]) == (None, "failed", "timed_out")
    assert (lost["timestamp_ms"], lost["speaker_name"], lost["id"]) == (7_000, "Ada", "utt_2")


def test_a_transcript_of_nothing():
    head = "Transcript of app_1 by zoom\n\n"
    assert {name: written(name, []) for name in ("vtt", "srt", "txt", "md")} == {
        "vtt": "WEBVTT\n", "srt": "", "txt": head, "md": "# Transcript of app\\_1 by zoom\n",
    }  # fmt: skip
    assert json.loads(written("json", [])) == {
        "app_session_id": "app_1", "engine": "zoom", "state": "ended", "transcription_state": "complete",
        "start_timestamp_ms": None, "utterances": [],
    }  # fmt: skip


@pytest.mark.parametrize("state", ["not_started", "in_progress"])
def test_one_that_goes_on_says_so(state):
    running = session(transcription_state=state)
    note = "The transcription is not over: what is said later is missing."
    assert written("vtt", [SAID], running).startswith(f"WEBVTT\n\nNOTE {note}\n\n1\n")
    assert note in written("txt", [SAID], running)
    assert note in written("md", [SAID], running)
    assert json.loads(written("json", [SAID], running))["transcription_state"] == state
    for form in FORMATS.values():
        assert headers(form, export_of(running, Engine.ZOOM, []))["X-Transcription-State"] == state
    for name in FORMATS:
        assert note not in written(name, [SAID]), "and none that is over does"


def test_times_count_from_the_recording_where_there_is_one():
    assert "[00:00:03] Ada" in written("txt", [SAID], session(recording=Stored(start_ms=2_000)))


@pytest.mark.parametrize("name", FORMATS)
def test_what_http_says(name):
    described = headers(FORMATS[name], export_of(session(), Engine.ZOOM, []))
    found = re.fullmatch(r'attachment; filename="([A-Za-z0-9_.-]+)"', described["Content-Disposition"])
    assert PurePosixPath(found[1]).suffix == f".{name}"
    assert described["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("named", ["", "VTT", "pdf", "vtt\r\nX: y"])
def test_an_unknown_format_is_refused(named):
    with pytest.raises(ApiError) as caught:
        format_of(named)
    assert caught.value.body == {"error": "Unknown format. Formats are: vtt, srt, txt, md, json"}


def test_reading_goes_on_after_the_last_row():
    most = {"read": 500, "read_bytes": 2**20}
    assert after(None) == {"time_ms": -1, "utterance_id": ""} | most
    assert after(SAID) == {"time_ms": 5_000, "utterance_id": "utt_1"} | most
