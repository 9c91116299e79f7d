"""A loop that reads in turns, on real sockets: what may not wait for a turn does not."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from connectors.host.loops import run

GATHER_MS = 400.0
SOCKETS = 8
AT_ONCE_S = GATHER_MS / 2000
TRIES = 5
"""On a busy machine any one of them may be kept waiting; what waits for a turn is so every time."""


class Busy:
    """Sockets that become readable every other millisecond; `turns` are when this loop began to read some.

    Those count that are read in turns, without a break up to now: not those before it was known to be worth it.
    """

    def __init__(self, turns: int) -> None:
        self._awaited = turns
        self.enough = asyncio.Event()
        self._pairs = [socket.socketpair() for _ in range(SOCKETS)]
        self._stopped = threading.Event()
        self._writer = threading.Thread(target=self._write)
        self.read_s: list[float] = []

    def _write(self) -> None:
        while not self._stopped.wait(0.002):
            for _, theirs in self._pairs:
                theirs.send(b"x")

    def _read(self, ours: socket.socket) -> None:
        ours.recv(10_000)
        if not reads_in_turns():
            self.read_s.clear()
            return
        self.read_s.append(time.monotonic())
        if len(self.turns) >= self._awaited:
            self.enough.set()

    @property
    def turns(self) -> list[float]:
        later = [second for first, second in pairwise(self.read_s) if second - first > AT_ONCE_S]
        return self.read_s[:1] + later

    def start(self) -> None:
        for ours, _ in self._pairs:
            asyncio.get_running_loop().add_reader(ours, self._read, ours)
        self._writer.start()

    def close(self) -> None:
        self._stopped.set()
        self._writer.join()
        for ours, theirs in self._pairs:
            asyncio.get_running_loop().remove_reader(ours)
            ours.close()
            theirs.close()


def reads_in_turns() -> bool:
    """Whether this loop, which has just looked at its sockets, would not do so again at once."""
    selector: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    return bool(selector._gathering._is_worth_it)


@asynccontextmanager
async def busy(turns: int = 2) -> AsyncIterator[Busy]:
    """This loop reads in turns, and has just begun its second, or whichever."""
    sockets = Busy(turns)
    sockets.start()
    try:
        async with asyncio.timeout(60):
            await sockets.enough.wait()
        yield sockets
    finally:
        sockets.close()


def test_what_comes_is_read_in_turns_and_all_sockets_in_each() -> None:
    async def main() -> list[float]:
        async with busy(turns=4) as sockets:
            return [at_s for at_s in sockets.read_s if sockets.turns[1] <= at_s < sockets.turns[3]]

    assert any(len(run(main(), GATHER_MS)) == 2 * SOCKETS for _ in range(TRIES))


def test_a_timer_does_not_wait_for_a_turn() -> None:
    async def main() -> float:
        async with busy():
            asked_s = time.monotonic()
            await asyncio.sleep(0.01)
            return time.monotonic() - asked_s

    assert any(run(main(), GATHER_MS) < AT_ONCE_S for _ in range(TRIES))


def test_another_thread_does_not_wait_for_a_turn() -> None:
    async def main() -> float:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        async with busy():
            asked_s = time.monotonic()
            threading.Timer(0.02, loop.call_soon_threadsafe, [heard.set]).start()
            await heard.wait()
            return time.monotonic() - asked_s

    assert any(run(main(), GATHER_MS) < AT_ONCE_S for _ in range(TRIES))


@pytest.mark.parametrize("gather_ms", [0.0, GATHER_MS])
def test_little_is_read_as_it_comes(gather_ms: float) -> None:
    async def main() -> float:
        heard, (ours, theirs) = asyncio.Event(), socket.socketpair()
        with ours, theirs:
            asyncio.get_running_loop().add_reader(ours, heard.set)
            await asyncio.sleep(0.2)
            threading.Timer(0.02, theirs.send, [b"x"]).start()
            asked_s = time.monotonic()
            await heard.wait()
            asyncio.get_running_loop().remove_reader(ours)
            return time.monotonic() - asked_s

    assert any(run(main(), gather_ms) < AT_ONCE_S for _ in range(TRIES))
