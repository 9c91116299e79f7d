"""The simulator as a process of its own, driven over HTTP as the demo does."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from connectors.rtms.credentials import Verdict, ZoomOAuth
from connectors.rtms.simulator.rules import Credentials
from tests.integration.rtms_simulator.conftest import Endpoint
from tests.integration.rtms_simulator.strict_client import EVERYTHING, WAIT_S, StrictClient, tally

Start = Callable[..., tuple[subprocess.Popen[str], dict[str, Any]]]

PATIENCE_S = 120.0
"""For a meeting of ten seconds, and its pictures if nobody has drawn them yet."""


def first_line(descriptor: int) -> bytes:
    """Byte by byte: what a buffered reader takes beyond the line, `communicate` would never see."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(descriptor, 1)):
        line += byte
    return line


async def first_answered(url: str, request: str) -> bytes:
    """The first line of the answer to what no HTTP library would send."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(request.encode())
    line = await reader.readline()
    writer.close()
    return line


@pytest.fixture
def program(films: Path) -> Iterator[Start]:
    """`program("--seconds", "10")` → the process and its first line."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "connectors.rtms.simulator", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "RTMS_SIMULATOR_CACHE": str(films)},
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        line = first_line(process.stdout.fileno())
        return process, json.loads(line)["listening"] if line else {}

    yield start
    for process in running:
        process.kill()
        process.communicate()


async def test_a_meeting_on_request(program: Start, tmp_path: Path) -> None:
    truth_file = tmp_path / "truth.json"
    process, listening = program("--start", "on-request", "--seconds", "20", "--truth-file", str(truth_file))
    async with httpx.AsyncClient(base_url=listening["control"], timeout=60) as control:
        assert (await control.get("/healthz")).json() == {"running": 0}
        for body, status in (([], 400), ({"seconds": 3}, 400), ({"seed": "x"}, 400), ({"colour": 1}, 400),
                             ({"faults": [{"kind": "nonsense"}]}, 400), ({"faults": 3}, 400)):  # fmt: skip
            assert (await control.post("/meetings", json=body)).status_code == status, body
        for content in (b"{", b"[" * 100_000, b"\xff"):
            assert (await control.post("/meetings", content=content)).json() == {"error": "the body is no JSON"}
        for length in ("-1", "many", "9" * 5_000):
            said = f"POST /meetings HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
            assert b" 413 " in await first_answered(listening["control"], said)
        assert (await control.get("/meetings/none/truth")).status_code == 404
        for secret, found in ((Credentials().client_secret, Verdict.GOOD), ("another", Verdict.BAD)):
            assert await ZoomOAuth(listening["control"]).check(listening["client_id"], secret) is found

        meeting = (await control.post("/meetings", json={"meeting_uuid": "abc/+=="})).json()
        payload = meeting["webhook"]["payload"]
        assert payload["meeting_uuid"] == "abc/+=="
        client = StrictClient(payload["server_urls"], payload["meeting_uuid"], payload["rtms_stream_id"])
        signalling, answer = await client.signalling()
        media, _ = await client.media(answer["media_server"]["server_urls"]["all"], 32, EVERYTHING)
        await client.ready(signalling)
        path = f"/meetings/{payload['rtms_stream_id']}"
        assert (await control.get(path)).json()["ended"] is False
        assert (await control.get("/healthz")).json() == {"running": 1}
        assert (await control.post(f"{path}/faults", json={"kind": "pause", "for_s": 0.5})).status_code == 202
        await signalling.message(9, state=4)
        refused = await control.post(f"{path}/faults", json={"kind": "late_start", "for_s": 5})
        assert (refused.status_code, refused.json()["error"]) == (
            400, "late_start has to be there when the meeting starts",
        )  # fmt: skip
        assert (await control.post(f"{path}/stop", json=[])).json() == {"error": "the body is a JSON object"}
        assert (await control.post(f"{path}/stop", json={"reason": 99})).status_code == 400
        assert (await control.post(f"{path}/stop", json={"reason": "host_triggered"})).status_code == 202
        assert await media.closing() == 1000
        await client.close()
        async with asyncio.timeout(WAIT_S):
            while not (await control.get(path)).json()["ended"]:  # noqa: ASYNC110  only asking tells
                await asyncio.sleep(0.02)
        truth = (await control.get(f"{path}/truth")).json()
        frames = (await control.get(f"{path}/frames")).json()
    assert truth["stop_reason"] == "host_triggered"
    got = tally(media.seen)
    digests = {
        (medium, track["user_id"]): track["sha256"]
        for medium, facts in truth["media"].items()
        for track in facts["tracks"]
    }
    assert digests == {key: facts[2] for key, facts in got.items()}
    assert sum(facts[0] for facts in got.values()) == len(frames)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert json.loads(truth_file.read_text())["media"] == truth["media"]


def test_a_meeting_now_ends_by_itself(program: Start, endpoint: Endpoint) -> None:
    process, _ = program("--seconds", "10", "--webhook-url", endpoint.url)
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    started, ended = (json.loads(line) for line in out.splitlines())
    assert started["meeting"]["webhook"]["event"] == "meeting.rtms_started"
    assert ended["ended"]["stop_reason"] == "meeting_ended"
    told = dict.fromkeys(taken["event"] for taken in endpoint.taken)  # what we take too slowly comes again
    assert list(told) == ["meeting.rtms_started", "meeting.rtms_stopped"]
    assert "POST /api/v1/app_sessions" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fault", "nonsense"), "invalid enum value 'nonsense'; allowed: refuse_signalling"),
        (("--scenario", "nonsense"), "there is no scenario 'nonsense'; there are: "),
        (("--fault", "pause"), "for_s"),
        (("--scopes", "smell"), "smell"),
        (("--seconds", "3"), "at least 10 seconds"),
        (("--replay", "/nowhere.jsonl"), "No such file"),
        (
            ("--cert", "/nowhere.pem", "--key", "/nowhere.key", "--seconds", "10"),
            "/nowhere.pem, --key /nowhere.key: No s",
        ),
        (("--cert", "/nowhere.pem", "--seconds", "10"), "--cert and --key belong together"),
        (("--truth-file", "/nowhere/truth.json", "--seconds", "10"), "/nowhere/truth.json"),
    ],
)
def test_a_wrong_command_line_is_explained(program: Start, arguments: tuple[str, ...], words: str) -> None:
    process, listening = program(*arguments)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert listening == {}
    assert process.returncode in (1, 2)
    assert words in errors
    assert "Traceback" not in errors


def test_a_scenario_by_name_and_the_list_of_them(program: Start) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "connectors.rtms.simulator", "--list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert any(line.startswith("server-moves ") for line in listed)
    process, _ = program("--scenario", "stop-08-stream-revoked", "--speed", "10")
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert json.loads(out.splitlines()[-1])["ended"]["stop_reason"] == "stream_revoked"
    process, _ = program("--scenario", "stopped-and-started-again", "--speed", "10")
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    first, stopped, second, ended = (next(iter(json.loads(line).values())) for line in out.splitlines())
    assert first["rtms_stream_id"] == second["rtms_stream_id"]
    assert (stopped["stop_reason"], ended["stop_reason"]) == ("internal_exception", "meeting_ended")


async def test_a_scenario_by_http(program: Start) -> None:
    _, listening = program("--start", "on-request", "--speed", "20")
    async with httpx.AsyncClient(base_url=listening["control"], timeout=60) as control:
        meeting = (await control.post("/meetings", json={"scenario": "contact-center"})).json()
        assert meeting["webhook"]["event"] == "contact_center.voice_rtms_started"
        assert meeting["webhook"]["payload"]["engagement_id"]
        mine = {"seconds": 10, "people": [{"name": "Ada"}], "speech": [{"who": "Eve", "at_s": 1}]}
        refusal = await control.post("/meetings", json=mine)
        assert (refusal.status_code, refusal.json()["error"]) == (
            400,
            "speech[1].who: there is no 'Eve'; people here: Ada",
        )
        mine["speech"] = [{"who": "Ada", "at_s": 1, "last": 0}]
        assert (await control.post("/meetings", json=mine)).status_code == 201


def test_help_names_every_fault() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "connectors.rtms.simulator", "--help"], capture_output=True, text=True, check=True
    )
    for word in ("cut_media", "late_start", "--truth-file", "POST /meetings"):
        assert word in done.stdout
