"""The demo as a newcomer runs it, with a shorter meeting: everything that goes in comes out, once."""

import json
import subprocess
import sys

import av
import pytest

from deploy.local.settings import REPOSITORY
from deploy.local.unit import child_environment

SECONDS = 20
ANY_PORT = {f"RTMS_LOCAL_{name}_PORT": "0" for name in ("KAFKA", "REGISTRY", "CLICKHOUSE", "API")}

CHAT = [
    "Good morning. I am only listening today.",
    "Slides: https://example.org/two-cities",
    "Sorry, my train was late – what did I miss?",
    "The best of times. And the worst.",
]
"""What can be read of the meeting in the end, by the time at which it was written."""

CHAT_FRAMES = 8
"""The four, a correction, a reaction, and one that is taken back."""


@pytest.mark.timeout(1000)
def test_a_meeting_runs_through_and_nothing_is_lost_or_doubled(tmp_path):
    output = tmp_path / "output"
    command = ["-m", "deploy.local", "demo", "--seconds", str(SECONDS), "--seed", "7"]
    answer = subprocess.run(
        [sys.executable, *command, "--run-dir", str(tmp_path / "run"), "--output", str(output)],
        env=child_environment(ANY_PORT),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = json.loads((output / "report.json").read_text())
    assert found["whole"]
    for medium in ("audio", "video", "captions", "chat", "events"):
        received, sent = found["media"][medium]["frames"]
        assert received == sent > 0
    assert max(abs(offset) for offset in found["recording"]["offsets_ms"]) <= 5
    assert 0 < found["live_behind_s"] < 15, "10 s, and what a machine takes that does other things as well"
    footprint = found["footprint"]
    assert footprint["processes"] == 12
    assert 0 < footprint["start_s"] < 120
    assert footprint["idle_bytes"] > 100_000_000
    assert found["word_error_rate"] <= 0.25  # a few sentences only; the goal is measured on whole readings
    with av.open(str(output / "recording.mp4")) as recording:
        assert [stream.type for stream in recording.streams] == ["video", "audio"]
        assert recording.duration / 1_000_000 > SECONDS - 4
    assert (output / "transcript.vtt").read_text().startswith("WEBVTT\n")
    assert {event["event_type"] for event in json.loads((output / "events.json").read_text())} == {"join", "leave"}
    unsent = CHAT_FRAMES - found["media"]["chat"]["frames"][1]
    assert 0 <= unsent <= 1, "the greeting is sent after 2 s, to who is there by then, and the next frame 10 s later"
    assert [message["text"] for message in json.loads((output / "chat.json").read_text())] == CHAT[unsent:]
    assert "session ended" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "Nothing was lost, nothing doubled."
    assert {row["met"] for row in found["rows"] if row["kind"] == "must"} == {True}
