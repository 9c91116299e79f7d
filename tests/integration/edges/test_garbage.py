"""Bytes that are no records, on every topic that anybody reads: put aside with a reason, and life goes on."""

import asyncio
import json
import time
from collections import Counter

import httpx

from connectors.rtms.simulator.server import MeetingRequest, ServerOptions, Simulator
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.zoomclock import ZoomClock
from deploy.local.server import unready
from schemas import topics
from schemas.codec import framed
from schemas.records import Project, RecordKind, Video
from schemas.topics import Topic
from tests.integration.edges.conftest import Street

MARKER = "Eleonore-said-in-confidence"
PRIVATE = MARKER.encode()
KEYS = (b"app_0123456789abcdef", b"", b"\xff\xfe\x00\xff", b"transcripts\x00/../..")

INPUTS = (
    topics.SESSION_FACTS, topics.AUDIO, topics.VIDEO, topics.CAPTIONS, topics.EVENTS,
    topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.RECORDING_SEGMENTS, topics.APP_SESSIONS,
)  # fmt: skip
"""Each is read by a service that commits what it has read, and so puts aside what it cannot use."""
VIEWED = topics.CONTROL_PLANE_TOPICS
"""Read anew by every process at its start: what is bad in them is logged and counted, not put aside each time."""
NULL_DELETES = {topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.APP_SESSIONS, *VIEWED}
REREADING = ("lifecycle", "ingest", "api")
"""They read `app-sessions` or the control plane from the beginning, garbage and all."""


def garbage(street: Street, topic: Topic) -> dict[str, bytes | None]:
    codec = street.decoder.codec
    own = codec.schema_id(topic)
    picture = Video(session_id=MARKER, kind=RecordKind.FRAME, epoch=1, sequence=1, timestamp_ms=1, arrived_us=1)
    project = Project(project_id=MARKER, name=MARKER, created_at_ms=1)
    is_project = topic is topics.PROJECTS
    foreign = codec.encode(topics.VIDEO, picture) if is_project else codec.encode(topics.PROJECTS, project)
    return {
        "no header": b"\x7f" + PRIVATE,
        "shorter than a header": b"\x00\x00",
        "right header, wrong body": framed(own, b"\xff" * 9 + PRIVATE),
        "right header, no body": framed(own, b""),
        "unknown schema": framed(0x7FFFFFFF, PRIVATE),
        "another topic's record": foreign,
        "nothing": b"",
        "null": None,
    }


async def test_a_meeting_behind_garbage_on_every_topic(street: Street) -> None:
    bad: dict[tuple[str, int], tuple[str, bytes | None]] = {}
    for topic in (*INPUTS, *VIEWED):
        for number, (what, value) in enumerate(garbage(street, topic).items()):
            offset = street.write(topic, KEYS[number % len(KEYS)], value)
            if topic in INPUTS and not (value is None and topic in NULL_DELETES):
                bad[topic.name, offset] = what, value
    await check_letters(street, bad)
    for name in REREADING:
        street.services[name].kill()
    await asyncio.to_thread(street.start, *REREADING)
    async with Simulator(ServerOptions(), ZoomClock(speed=2.0)) as simulator:
        stream = await simulator.start(MeetingRequest(seconds=12))
        session = await asyncio.to_thread(ended, street, simulator, stream)
        names = {person.name for person in stream.meeting.participants}
    assert session["recording_state"] == "complete"
    assert session["transcription_state"] == "complete"
    for name, server in street.services.items():
        assert server.exit_code() is None, name
        assert unready(server.program.port, "/livez") == "", name
        check_log(name, server.log.read_text(), names | {turn.text for turn in stream.meeting.turns})


async def check_letters(street: Street, bad: dict[tuple[str, int], tuple[str, bytes | None]]) -> None:
    deadline = time.monotonic() + 30
    while missing := bad.keys() - (letters := await street.letters()).keys():
        assert time.monotonic() < deadline, f"not put aside: {[(*place, bad[place][0]) for place in missing]}"
        await asyncio.sleep(0.2)
    for place, (what, value) in bad.items():
        assert letters[place].data == (value or b""), what
        assert letters[place].reason, what
        assert MARKER not in letters[place].reason, what


def ended(street: Street, simulator: Simulator, stream: Stream) -> dict[str, object]:
    """The session as the API tells it, once it is over; from a thread, because the simulated Zoom needs the loop."""
    with httpx.Client(base_url=street.url, timeout=20, trust_env=False) as http:
        admin = {"Authorization": f"Token {street.admin_token}"}
        project = http.post("/projects", json={"name": "p"}, headers=admin).raise_for_status().json()["id"]
        key = http.post(f"/projects/{project}/api_keys", json={"name": "k"}, headers=admin).json()["key"]
        known = simulator.options.credentials
        app = {"client_id": known.client_id, "client_secret": known.client_secret}
        http.post(f"/projects/{project}/zoom_apps", json=app, headers=admin).raise_for_status()
        http.headers["Authorization"] = f"Token {key}"
        announced = {
            "meeting_uuid": stream.identity.meeting_uuid,
            "rtms_stream_id": stream.identity.stream_id,
            "server_urls": simulator.signalling_url(stream),
            "operator_id": "op",
        }
        made = http.post("/app_sessions", json={"zoom_rtms": announced}).raise_for_status().json()
        deadline = time.monotonic() + 60
        while (session := http.get(f"/app_sessions/{made['id']}").raise_for_status().json())["state"] != "ended":
            assert session["state"] != "fatal_error", session
            assert time.monotonic() < deadline, session
            time.sleep(0.2)
        return session


def check_log(name: str, log: str, private: set[str]) -> None:
    """Nothing private, nothing thrown, nothing said over and over."""
    assert [word for word in private | {MARKER} if word in log] == [], name
    assert "Traceback" not in log, f"{name}: {log[log.index('Traceback') - 1500 :][:4000]}"
    loud = Counter(
        json.dumps({k: v for k, v in json.loads(line).items() if k not in ("timestamp",)}, sort_keys=True)
        for line in log.splitlines()
        if line.startswith("{") and json.loads(line).get("level") in ("warning", "error", "critical")
    )
    assert {line: times for line, times in loud.items() if times > 4} == {}, name
