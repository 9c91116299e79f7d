"""A simulated Zoom that waits for its client: a short meeting would be over before a busy machine's worker comes."""

import asyncio
import time

from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.server import ServerOptions, Simulator
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.zoomclock import ZoomClock

LOOK_S = 0.005


class HeldClock(ZoomClock):
    """Stands at its first moment until `go`."""

    def __init__(self, speed: float = 1.0) -> None:
        super().__init__(speed=speed)
        self._going = asyncio.Event()

    def go(self) -> None:
        """Time passes from here on."""
        if not self._going.is_set():
            self._began_s = time.monotonic()
            self._going.set()

    async def until(self, at_ms: float) -> None:
        if at_ms > self._now_ms():
            await self._going.wait()
        await super().until(at_ms)

    def _now_ms(self) -> float:
        return super()._now_ms() if self._going.is_set() else self._began_ms


class PatientZoom(Simulator):
    """Its time begins with the first connection that is answered, as if the worker of its first meeting came at once.

    Not later: who is connected takes it that Zoom's time passes.
    """

    def __init__(self, options: ServerOptions | None = None, speed: float = 1.0) -> None:
        self._held = HeldClock(speed)
        super().__init__(options, self._held)

    async def start(self, request: MeetingRequest) -> Stream:
        stream = await super().start(request)
        stream.spawn(self._go_with(stream))
        return stream

    async def _go_with(self, stream: Stream) -> None:
        while not stream.truth.connections:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(LOOK_S)
        self._held.go()
