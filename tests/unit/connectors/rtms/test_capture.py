"""What a capture holds, whatever becomes of those who write it: whole lines, and nothing that opens anything."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from connectors.host.clock import SystemClock
from connectors.rtms.protocol import messages
from connectors.rtms.simulator.recording import BadRecording, RecordedMeeting
from connectors.rtms.transport.capture import CapturingTransport, without_secrets
from connectors.rtms.transport.sockets import Listener, Socket
from tests.support.zoom_conversation import ZOOM

IDENTITY = messages.StreamIdentity("meeting", "meetAAA==", "stream0001", "sig")
HELLO = messages.media_handshake_request(IDENTITY, media_type=1, media_params={})
AGREED = messages.media_handshake_response(media_params={"audio": {}})


class Line:
    """A socket at whose other end stands the test."""

    is_binary = False

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def says(self, message: bytes, *, binary: bool = False) -> None:
        self.is_binary = binary
        self.listener.on_message(message)

    def send(self, message: bytes) -> None: ...

    def ping(self) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Deaf:
    def on_message(self, data: bytes) -> None: ...

    def on_closed(self, close_code: int | None) -> None: ...


class Lines:
    async def connect(self, _url: str, listener: Listener) -> Socket:
        self.last = Line(listener)
        return self.last


Captured = Callable[[], Awaitable[Line]]


@pytest.fixture
async def captured(tmp_path: Path) -> AsyncIterator[Captured]:
    """The other end of a worker's socket, of which everything is kept."""
    sockets: list[Socket] = []

    async def start() -> Line:
        lines = Lines()
        sockets.append(await CapturingTransport(lines, tmp_path, SystemClock(), pseudonymise=True).connect("", Deaf()))
        sockets[-1].send(HELLO)
        return lines.last

    yield start
    for socket in sockets:
        socket.abort()


def text(folder: Path) -> str:
    return (folder / "stream0001.rtms.jsonl").read_text()


def spoken(number: int, size: int = 3) -> bytes:
    return messages.transcript_data({"user_id": 7, "timestamp": ZOOM + number, "data": str(number).rjust(size)})


async def test_everything_is_there_at_once_however_the_worker_ends(captured: Captured, tmp_path: Path) -> None:
    zoom = await captured()
    zoom.says(AGREED)
    zoom.says(spoken(1))
    said = [json.loads(line) for line in text(tmp_path).splitlines()[1:]]
    assert [(line["from"], json.loads(line["text"])["msg_type"]) for line in said] == [
        ("client", 3), ("zoom", 4), ("zoom", 17),
    ]  # fmt: skip


async def test_two_workers_of_a_machine_write_whole_lines_into_one_file(captured: Captured, tmp_path: Path) -> None:
    """The one that takes over may be there before the other one has gone."""
    old, new = await captured(), await captured()
    old.says(AGREED)
    for number in range(200):
        (old, new)[number % 2].says(spoken(number, 100 * number))
    assert len([json.loads(line) for line in text(tmp_path).splitlines()]) == 1 + 2 + 1 + 200
    lines = RecordedMeeting.open_file(tmp_path / "stream0001.rtms.jsonl").index.lines
    assert sum(map(len, lines.values())) == 200


async def test_who_goes_on_after_a_torn_line_loses_that_line_alone(captured: Captured, tmp_path: Path) -> None:
    file = tmp_path / "stream0001.rtms.jsonl"
    zoom = await captured()
    zoom.says(AGREED)
    zoom.says(spoken(1))
    file.write_bytes(file.read_bytes()[:-20])
    zoom = await captured()
    zoom.says(spoken(2))
    frames = [frame for medium in RecordedMeeting.open_file(file).index.lines.values() for frame in medium]
    assert len(frames) == 1
    file.write_text(text(tmp_path) + '{"at_ms": Infinity, "from": "zoom", "text": "{}"}\n')
    with pytest.raises(BadRecording, match="line 7: no message of a capture"):
        RecordedMeeting.open_file(file)


async def test_what_came_in_binary_frames_says_so(captured: Captured, tmp_path: Path) -> None:
    zoom = await captured()
    for number, binary in enumerate((False, True, False)):
        zoom.says(spoken(number), binary=binary)
    assert [json.loads(line).get("binary") for line in text(tmp_path).splitlines()[2:]] == [None, True, None]


async def test_a_clock_that_was_put_back_changes_no_order(captured: Captured, tmp_path: Path) -> None:
    zoom = await captured()
    zoom.says(AGREED)
    for number in range(3):
        zoom.says(spoken(number))
    file = tmp_path / "stream0001.rtms.jsonl"
    head, *lines = (json.loads(line) for line in text(tmp_path).splitlines())
    for line, at_ms in zip(lines, (5_000, 6_000, 7_000, 1_000, 8_000), strict=True):
        line["at_ms"] = at_ms
    file.write_text("".join(json.dumps(line) + "\n" for line in (head, *lines)))
    recorded = RecordedMeeting.open_file(file)
    assert [at_ms for at_ms, _ in recorded.index.lines["captions"]] == [7_000, 7_000, 8_000]
    assert recorded.end_ms - recorded.start_ms > 3_000


def test_nothing_that_opens_a_socket_is_kept() -> None:
    answer = {"msg_type": 2, "media_server": {"server_urls": {"all": "srt://z"}, "srt_passphrase": "hush"}}
    kept = without_secrets(json.dumps(answer).encode(), None)
    assert json.loads(kept)["media_server"] == {"server_urls": {"all": "removed"}, "srt_passphrase": "removed"}
    caption = spoken(1).replace(b"1", b"my signature")
    assert without_secrets(caption, None) is caption
