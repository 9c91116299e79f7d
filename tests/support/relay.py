"""A network between whoever connects and one address, which can be cut, or fall silent as a broken one does."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from deploy.local.ports import LOOPBACK, free_ports
from tests.support.processes import PATIENCE_S

_CHUNK = 65_536

Answer = TypeVar("Answer")


class _Line:
    """One relayed connection; bytes pass while `passing` is set."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.passing = asyncio.Event()
        self.passing.set()
        self._writers = near, far

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, its end included; what a silent line carries, its end too, waits."""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                await self.passing.wait()
                writer.write(data)
                await writer.drain()
        await self.passing.wait()
        self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class Relay:
    """Listens on `port` and carries everything to `target` and back, in a thread of its own; told what to do from any.

    `fall_silent`: connections stand, new ones as well, and nothing comes through. `strand`: the same, but new ones
    work. `refuse`: all are reset, and new ones refused. `restore` undoes any.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._lines: set[_Line] = set()
        self._conversations: set[asyncio.Task[None]] = set()
        self._passing = self._is_taking = True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._thread.start()
        (self.port,) = free_ports(1)  # to listen there again: nobody else of ours is given it meanwhile
        self._server = self._do(asyncio.start_server(self._accept, LOOPBACK, self.port))

    def fall_silent(self) -> None:
        self._do(self._set_passing(False, new=False))

    def strand(self) -> None:
        self._do(self._set_passing(False, new=True))

    def refuse(self) -> None:
        self._do(self._stop())

    def restore(self) -> None:
        self._do(self._set_passing(True, new=True))
        if not self._server.is_serving():
            self._is_taking = True
            self._server = self._do(asyncio.start_server(self._accept, LOOPBACK, self.port))

    def close(self) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _set_passing(self, passing: bool, *, new: bool) -> None:
        self._passing = new
        for line in self._lines:
            if passing:
                line.passing.set()
            else:
                line.passing.clear()

    async def _stop(self) -> None:
        self._is_taking = False  # for one that is just being connected on
        self._server.close()
        for line in self._lines:
            line.passing.set()
            line.cut()
        await asyncio.gather(*self._conversations)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.create_task(self._converse(reader, writer))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.transport.abort()
            return
        line = _Line(writer, far_writer)
        if not self._is_taking:
            line.cut()
            return
        if not self._passing:
            line.passing.clear()
        self._lines.add(line)
        try:
            await asyncio.gather(line.carry(reader, far_writer), line.carry(far_reader, writer))
        finally:
            self._lines.discard(line)
