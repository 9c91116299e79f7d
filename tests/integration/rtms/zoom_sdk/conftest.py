"""Zoom's own SDK against the simulated Zoom: it must be content, or the simulator is wrong.

On Linux on x86-64 it has to be installed; elsewhere Zoom publishes nothing that is pinned here, and the tests say so.
"""

import asyncio
import contextlib
import functools
import json
import os
import platform
import signal
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec

import pytest

from connectors.rtms.protocol.codes import MEETING, Medium, StopReason
from connectors.rtms.simulator import webhooks
from connectors.rtms.simulator.faults import Fault
from connectors.rtms.simulator.film import FilmFormat, PictureCodec, Subject
from connectors.rtms.simulator.meeting import Formats, Meeting
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Credentials, Rules
from connectors.rtms.simulator.scenario import read_scenario
from connectors.rtms.simulator.sent import Sent
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream
from deploy.local.settings import REPOSITORY
from tests.integration.rtms.conftest import Simulate

STILLS = Formats(
    video=FilmFormat(Subject.CAMERA, PictureCodec.JPG, 5), share=FilmFormat(Subject.SHARE, PictureCodec.PNG, 1)
)
ANYBODY = Formats(video=FilmFormat(Subject.CAMERAS, PictureCodec.H264, 6))

MEDIA = ("audio", "video", "share", "captions")
PATIENCE_S = 60.0
FAREWELL_S = 5.0
CRASHES = 2
"""So many are not ours: what crashes every time is something that the simulated Zoom said."""
_ERRORS_SHOWN = 2_000

Said = dict[str, Any]
P = ParamSpec("P")


class SdkCrashed(Exception):
    """Zoom's library touched memory that is not its own: seen once in some thousand sessions, right after a join."""


def played_again(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """A test that is played again with fresh processes when Zoom's library crashes, but not for ever."""

    @functools.wraps(test)
    async def play(*arguments: P.args, **fixtures: P.kwargs) -> None:
        for _ in range(CRASHES):
            with contextlib.suppress(SdkCrashed):
                return await test(*arguments, **fixtures)
        await test(*arguments, **fixtures)

    return play


class Frame(NamedTuple):
    """One callback of the SDK for a medium."""

    user_id: int
    timestamp: int
    payload: bytes


@dataclass
class ZoomsSdk:
    """The process, and what it has said so far."""

    process: asyncio.subprocess.Process
    folder: Path
    said: list[Said] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Keep what it says, to its end."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(json.loads(line))
            self.changed.set()
        await self.process.wait()
        self.changed.set()

    async def until(self, condition: Callable[["ZoomsSdk"], object]) -> None:
        """Wait until it has said so; fails when it ends before."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition(self):
                    if self.process.returncode == -signal.SIGSEGV:
                        raise SdkCrashed(self._errors())
                    assert self.process.returncode is None, f"the SDK's process ended: {self._errors()}"
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            frames = Counter(self.of("medium"))
            others = [line for line in self.said if "medium" not in line]
            pytest.fail(f"in vain; frames: {dict(frames)}; said: {others}; errors: {self._errors()}")

    def _errors(self) -> str:
        return (self.folder / "errors").read_text(errors="replace")[-_ERRORS_SHOWN:]

    async def order(self, **order: Any) -> None:
        """Say what is wanted; see `program`."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()

    async def join(self, simulator: Simulator, stream: Stream, *, changes: Said | None = None, **wanted: Any) -> None:
        """Join the stream with what its webhook says, but for `changes`."""
        announced = webhooks.started(stream.identity, simulator.signalling_url(stream))
        await self.order(join={**announced, **app(), **(changes or {})}, **wanted)

    async def hear_out(self, stream: Stream) -> None:
        """Wait until it has all there is of the stream."""
        await self.until(lambda sdk: sdk.of("session"))
        senders = [socket.sender for socket in stream.media if socket.sender is not None]
        assert senders
        await asyncio.wait(senders)
        await self.until(lambda sdk: len(sdk.of("medium")) >= sum(map(len, sent(stream).values())))

    async def play_out(self, stream: Stream) -> None:
        """Let the stream end once the SDK has all of it: an end on signalling may overtake what is under way."""
        await self.hear_out(stream)
        stream.stop(StopReason.MEETING_ENDED)
        assert await self.left() == StopReason.MEETING_ENDED
        assert self.received() == sent(stream)

    async def left(self) -> int:
        """The reason for which the session is over."""
        await self.until(lambda sdk: sdk.of("left"))
        return int(self.of("left")[0])

    async def joined(self) -> int:
        """The status of the join, 0 for a good one."""
        await self.until(lambda sdk: sdk.of("joined"))
        return int(self.of("joined")[0])

    def of(self, key: str) -> list[Any]:
        """What it said under that key, in order."""
        return [line[key] for line in self.said if key in line]

    def events(self, *numbers: int) -> list[Said]:
        """The events of these types as they came over the wire."""
        return [event for event in self.of("event") if event["event_type"] in numbers]

    def about(self, medium: str) -> list[Said]:
        """What it said of each frame of a medium."""
        return [line for line in self.said if line.get("medium") == medium]

    def frames(self, medium: str) -> list[Frame]:
        """The frames of a medium."""
        frames, position = [], 0
        kept = self.folder / f"{medium}.bin"
        data = kept.read_bytes() if kept.exists() else b""
        for line in self.about(medium):
            frames.append(Frame(line["user_id"], line["timestamp"], data[position : position + line["size"]]))
            position += line["size"]
        return frames

    def received(self) -> dict[str, list[Sent]]:
        """All frames, medium by medium, in the form of the simulator's truth."""
        return {
            medium: [Sent(Medium(medium), user_id, stamp, len(data), zlib.crc32(data))
                     for user_id, stamp, data in self.frames(medium)]
            for medium in MEDIA
        }  # fmt: skip

    async def end(self) -> int:
        """Let the process end, sockets and all; its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)


def app() -> Said:
    """The simulator's usual credentials, as the SDK takes them."""
    usual = Credentials()
    return {"client": usual.client_id, "secret": usual.client_secret}


def scene(*faults: Fault, seconds: int = 60, product: str = MEETING) -> MeetingRequest:
    """Two people, with pictures, a share and an overlap, until 18 s; then nothing happens any more."""
    found = read_scenario(
        {
            "seconds": seconds,
            "product": product,
            "beeps": False,
            "people": [
                {"name": "Ada", "camera": [[0.5, 17.5]]},
                {"name": "Jun", "camera": [[3, 8], [10, 17]], "joins_s": 1, "leaves_s": 18},
            ],
            "speech": [
                {"who": "Ada", "at_s": 1.5, "last": 0},
                {"who": "Jun", "at_s": 6, "reading": "beckett", "last": 1},
                {"who": "Ada", "at_s": 11, "first": 1, "last": 2},
                {"who": "Jun", "at_s": 13.5, "reading": "beckett", "first": 2, "last": 2},
            ],
            "share": [{"who": "Ada", "from_s": 4, "to_s": 9}],
        }
    )
    return replace(found, faults=faults)


def sent(stream: Stream) -> dict[str, list[Sent]]:
    """All frames that the stream sent of the media that the SDK knows."""
    return {medium: [frame for frame in stream.truth.sent if frame.medium == medium] for medium in MEDIA}


StartSdk = Callable[..., Awaitable[ZoomsSdk]]


def require_sdk() -> None:
    """Skip where there is no SDK, fail where it is merely not installed."""
    if find_spec("rtms") is not None:
        return
    if sys.platform == "linux" and platform.machine() == "x86_64":
        pytest.fail("Zoom's SDK (rtms) is not installed; `make test` installs it")
    pytest.skip("of Zoom's SDK only the wheels for Linux on x86-64 are used")


@pytest.fixture(scope="session", autouse=True)
def _drawn(films: Path) -> None:
    """The pictures of the scene in every form that is asked for, once, before any clock runs."""
    for formats in (Formats(), STILLS, ANYBODY):
        Meeting.of(scene(), films).prepare(formats)


@pytest.fixture
def simulate(simulate: Simulate) -> Simulate:
    """As everywhere, but at the end the SDK may leave first: it asks each socket, and one that is closed says 960."""

    async def start(*, rules: Rules | None = None, **options: Any) -> Simulator:
        simulator: Simulator = await simulate(rules=replace(rules or Rules(), farewell_s=FAREWELL_S), **options)
        return simulator

    return start


@pytest.fixture
async def zooms_sdk(tmp_path: Path) -> AsyncIterator[StartSdk]:
    """`await zooms_sdk()` → a process with the SDK loaded, ready to join."""
    require_sdk()
    started: list[tuple[ZoomsSdk, asyncio.Task[None]]] = []

    async def start(**environment: str) -> ZoomsSdk:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        (folder / "logs").mkdir()  # else it complains of every line that it cannot log there
        path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (folder / "errors").open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"{__package__}.program", str(folder), cwd=folder,
                env=os.environ | {"PYTHONPATH": path} | environment,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors, limit=1 << 20,
            )  # fmt: skip
        sdk = ZoomsSdk(process, folder)
        started.append((sdk, asyncio.create_task(sdk.listen())))
        await sdk.until(lambda sdk: sdk.of("ready"))
        return sdk

    yield start
    for sdk, listening in started:
        with contextlib.suppress(ProcessLookupError):
            sdk.process.kill()
        await listening
