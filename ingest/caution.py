"""Opens no socket to Zoom while Kafka is silent: somebody else may have the session by now.

Zoom closes a first connection when a second one comes. A worker that is cut off from Kafka cannot read its successor's
claim; if it connected again, the two would take the stream from each other until both lose it.
"""

import asyncio

from connectors.rtms.transport.sockets import Listener, Socket, Transport
from ingest.contact import Contact

LOOK_S = 0.2


class CautiousTransport:
    """`transport`, for those whose claim certainly holds; the others wait."""

    def __init__(self, transport: Transport, contact: Contact) -> None:
        self._transport, self._contact = transport, contact

    async def connect(self, url: str, listener: Listener) -> Socket:
        """See `Transport`."""
        while not self._contact.is_sure:  # noqa: ASYNC110  a plain value, looked at once a second
            await asyncio.sleep(LOOK_S)
        return await self._transport.connect(url, listener)
