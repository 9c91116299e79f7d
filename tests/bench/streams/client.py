"""`python -m tests.bench.streams.client …`: one receiver as a process of its own, so that its CPU is nobody else's.

It obeys lines on its standard input and answers each with a line of JSON:

    connect N     open N streams
    expect N      N more frames will come: what they cost is counted from now on
    take S        wait until all that was expected has been received and stored, S seconds at most; what that cost
    watch S       look on for S seconds: what it cost, how late the event loop was
"""

import argparse
import asyncio
import json
import os
import resource
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from connectors.host import loops
from connectors.host.logs import configure
from ingest.settings import IngestSettings
from tests.bench.quantiles import quantile
from tests.bench.streams.product import Worker
from tests.bench.streams.rivals import Ceiling, Incumbent, Sample

RIVALS: dict[str, Callable[[Path, ssl.SSLContext], "Receiver"]] = {
    "sample": Sample,
    "incumbent": Incumbent,
    "ceiling": Ceiling,
}
OURS = "ours"

_LOOK_S = 0.02
_BEAT_S = 0.005


class Receiver(Protocol):
    """Any side of a comparison."""

    @property
    def frames(self) -> int: ...

    async def connect(self, url: str, number: int) -> None: ...


class Cost:
    """CPU seconds of this process, all threads, and wall seconds since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = _cpu_s(), time.monotonic()

    def so_far(self) -> dict[str, float]:
        return {"cpu_s": _cpu_s() - self._cpu, "wall_s": time.monotonic() - self._wall}


class Lag:
    """How much later than asked for the event loop gets round to a timer, in ms."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._due = self._loop.time() + _BEAT_S
        self._handle = self._loop.call_at(self._due, self._beat)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _beat(self) -> None:
        self.samples.append((self._loop.time() - self._due) * 1000)
        self.start()


class Client:
    """Does what it is told; `verify` raises when a figure would not be worth having."""

    def __init__(self, receiver: Receiver, url: str) -> None:
        self._receiver = receiver
        self._url = url
        self._connected = 0
        self._expected = 0
        self._cost = Cost()

    async def obey(self, line: str) -> dict[str, object]:
        verb, argument = line.split()
        match verb:
            case "connect":
                return await self._connect(int(argument))
            case "expect":
                self._expected, self._cost = self._receiver.frames + int(argument), Cost()
                return {"total": self._receiver.frames}
            case "take":
                return await self._take(float(argument))
        return await self._watch(float(argument))

    async def _connect(self, count: int) -> dict[str, object]:
        kind = "signalling" if isinstance(self._receiver, Worker) else "media"
        for number in range(self._connected, self._connected + count):
            await self._receiver.connect(f"{self._url}/{kind}/{number}", number)
        self._connected += count
        return {"connected": self._connected}

    async def _take(self, patience_s: float) -> dict[str, object]:
        deadline = time.monotonic() + patience_s
        while self._receiver.frames < self._expected or self._unsettled():
            if time.monotonic() > deadline:
                missing = self._expected - self._receiver.frames
                return self._answer(
                    self._cost, error=f"{missing} frames did not arrive, {self._unsettled()} not stored"
                )
            await asyncio.sleep(_LOOK_S)
        await asyncio.sleep(_LOOK_S)  # until the worker's own counters have caught up
        return self._answer(self._cost)

    async def _watch(self, seconds: float) -> dict[str, object]:
        before, lag, cost = self._receiver.frames, Lag(), Cost()
        lag.start()
        await asyncio.sleep(seconds)
        answer = self._answer(cost, frames=self._receiver.frames - before)
        lag.stop()
        return answer | {"lag_p50_ms": quantile(lag.samples, 0.5), "lag_p99_ms": quantile(lag.samples, 0.99)}

    def _unsettled(self) -> int:
        return self._receiver.unsettled if isinstance(self._receiver, Worker) else 0

    def _answer(self, cost: Cost, **more: object) -> dict[str, object]:
        answer: dict[str, object] = {**cost.so_far(), "total": self._receiver.frames, **more}
        if isinstance(self._receiver, Worker):
            answer |= self._receiver.accounts() | {"ended": self._receiver.ended()}
        return answer


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def serve(options: argparse.Namespace) -> None:
    """Obey until the input ends."""
    receiver: Receiver
    if options.side == OURS:
        receiver = Worker(options.send_rate)
    else:
        tls = ssl.create_default_context(cafile=options.ca_file)
        receiver = RIVALS[options.side](options.folder, tls)
    client = Client(receiver, options.url)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await client.obey(line)), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=(OURS, *RIVALS))
    parser.add_argument("url")
    parser.add_argument("--ca-file", type=Path)
    parser.add_argument("--folder", type=Path, help="where rivals keep their files")
    parser.add_argument("--send-rate", type=int, default=100)
    parser.add_argument("--cores", type=int, nargs="*", default=[], help="run on these alone")
    options = parser.parse_args()
    if options.cores:
        os.sched_setaffinity(0, options.cores)
    configure("bench")
    loops.run(serve(options), IngestSettings().gather_ms if options.side == OURS else 0)
    return 0


if __name__ == "__main__":
    os._exit(main())  # nobody waits for streams to be closed in good order: the load is told to forget them
