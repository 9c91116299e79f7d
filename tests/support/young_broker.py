"""A broker that has just started: it answers, and of brokers it knows none until it is told.

As Apache Kafka's does for a moment, which is too short to be met at will. Answers are written by the client's own
library, in the oldest versions that it speaks.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

from aiokafka.protocol.admin import ApiVersionResponse_v0
from aiokafka.protocol.coordination import FindCoordinatorResponse_v0
from aiokafka.protocol.metadata import MetadataResponse_v1

METADATA, API_VERSIONS, FIND_COORDINATOR = 3, 18, 10
SPOKEN = [(METADATA, 1, 1), (FIND_COORDINATOR, 0, 0), (API_VERSIONS, 0, 0)]
NODE = 1
NOT_ALLOWED = 30  # GROUP_AUTHORIZATION_FAILED


class YoungBroker:
    """`asked` counts who wanted to know of its brokers; `grows_up` once it knows one, itself.

    `refuses_with` is the code with which it answers who looks for the group's coordinator.
    """

    def __init__(self) -> None:
        self.refuses_with = 0
        self.port = 0
        self.is_grown = False
        self.asked = 0

    def grows_up(self) -> None:
        self.is_grown = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until the client leaves or asks for something that only a whole broker has."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                api, _, correlation = struct.unpack_from(">hhi", await reader.readexactly(size))
                answer = self._answer(api)
                if answer is None:
                    break
                body = struct.pack(">i", correlation) + answer
                writer.write(struct.pack(">i", len(body)) + body)
        writer.close()

    def _answer(self, api: int) -> bytes | None:
        if api == API_VERSIONS:
            return bytes(ApiVersionResponse_v0(error_code=0, api_versions=SPOKEN).encode())
        if api == METADATA:
            self.asked += 1
            brokers = [(NODE, "127.0.0.1", self.port, None)] if self.is_grown else []
            return bytes(MetadataResponse_v1(brokers=brokers, controller_id=NODE, topics=[]).encode())
        if api == FIND_COORDINATOR and self.refuses_with:
            answer = FindCoordinatorResponse_v0(error_code=self.refuses_with, coordinator_id=-1, host="", port=-1)
            return bytes(answer.encode())
        return None


@contextlib.asynccontextmanager
async def young_broker() -> AsyncIterator[YoungBroker]:
    """On a loopback port, in the running loop."""
    broker = YoungBroker()
    async with await asyncio.start_server(broker.serve, "127.0.0.1", 0) as server:
        broker.port = server.sockets[0].getsockname()[1]
        yield broker
