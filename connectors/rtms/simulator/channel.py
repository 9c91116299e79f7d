"""One WebSocket connection as the simulator uses it: JSON in and out, keep-alives, and three ways of ending.

It knows nothing of streams. Whoever serves the connection iterates over `messages` and calls `say`; the channel keeps
the keep-alive going and remembers who ended it.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.simulator.keepalive import TOLERATED, KeepAlives
from connectors.rtms.simulator.zoomclock import ZoomClock

NO_MESSAGE = -1
"""The `msg_type` of what the client sent when it was not a message."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing resets


class Framing(StrEnum):
    """How messages are framed; real servers may do either."""

    TEXT = "text"
    BINARY = "binary"
    MIXED = "mixed"


class EndedBy(StrEnum):
    """Who or what ended a connection."""

    CLIENT = "client"
    SERVER = "server"
    KEEP_ALIVE = "keep_alive"
    FAULT = "fault"
    REPLACED = "replaced"
    INTERRUPTED = "interrupted"


class Channel:
    """A connection from the first message on."""

    def __init__(self, connection: ServerConnection, clock: ZoomClock, framing: Framing = Framing.TEXT) -> None:
        self.framing = framing
        self.is_deaf = False  # to answers to keep-alives
        self.clock = clock
        self.ended_by: EndedBy | None = None
        self._connection = connection
        self._keep_alives = KeepAlives()
        self._keeper: asyncio.Task[None] | None = None
        self._asking: list[asyncio.Task[bool]] = []
        self._said = 0

    @property
    def path(self) -> str:
        """The path that the client asked for."""
        request = self._connection.request
        return "" if request is None else request.path

    @property
    def is_open(self) -> bool:
        """Whether nobody has ended it yet."""
        return self.ended_by is None

    async def say(self, data: bytes, *, is_binary: bool = False) -> bool:
        """Send one message; False when the connection has ended. Waits while the client does not read.

        `is_binary` is of a message that was once sent so, and counts where framing is text.
        """
        if not self.is_open:
            return False
        self._said += 1
        is_text = (self.framing is Framing.TEXT and not is_binary) or (
            self.framing is Framing.MIXED and self._said % 2 == 0
        )
        try:
            await self._connection.send(data, text=is_text)
        except ConnectionClosed:
            self._end(EndedBy.CLIENT)
            return False
        return True

    async def hear(self) -> dict[str, Any] | None:
        """The next message, None when the connection has ended. What is no message comes as `NO_MESSAGE`."""
        try:
            data = await self._connection.recv()
        except ConnectionClosed:
            self._end(EndedBy.CLIENT)
            return None
        try:
            return messages.decode(data)
        except Unusable:
            return {"msg_type": NO_MESSAGE}

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What the client says until the connection ends."""
        while (message := await self.hear()) is not None:
            yield message

    def keep_alive(self, every_s: float) -> None:
        """Begin with keep-alives."""
        self._keeper = asyncio.create_task(self._keep(every_s))

    def answered(self, message: dict[str, Any]) -> bool:
        """Take a message 13; False when it answers no request that is open."""
        return self.is_deaf or self._keep_alives.answer(message)

    def stop_asking(self) -> None:
        """No more keep-alives."""
        if self._keeper is not None:
            self._keeper.cancel()

    async def _keep(self, every_s: float) -> None:
        while self.is_open:
            await asyncio.sleep(every_s)
            if self._keep_alives.unanswered >= TOLERATED:
                self.cut(EndedBy.KEEP_ALIVE)
                return
            # Not awaited: a client that does not read must not keep this from counting.
            self._asking.append(asyncio.create_task(self.say(self._keep_alives.request(self.clock.now_ms()))))
            self._asking = [task for task in self._asking if not task.done()]

    async def close(self, by: EndedBy = EndedBy.SERVER, code: int = 1000) -> None:
        """End it with a close frame."""
        self._end(by)
        await self._connection.close(code)

    async def closed(self) -> None:
        """Wait until it is, whoever closes it."""
        await self._connection.wait_closed()

    def cut(self, by: EndedBy) -> None:
        """End it without a word: the client sees a reset connection."""
        self._end(by)
        transport = self._connection.transport
        raw = transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    def _end(self, by: EndedBy) -> None:
        if self.ended_by is None:
            self.ended_by = by
        if self._keeper is not None and self._keeper is not asyncio.current_task():
            self._keeper.cancel()


def message_type(message: dict[str, Any]) -> int:
    """A message's number; `NO_MESSAGE` for what is none."""
    return NO_MESSAGE if message.get("msg_type") == NO_MESSAGE else messages.message_type(message)
