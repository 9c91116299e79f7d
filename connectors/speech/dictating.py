"""Carries sound to a speech service while it is spoken, over a WebSocket: no redirects, bounded messages."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from connectors.speech.client import USER_AGENT
from connectors.speech.dictation import Opening
from connectors.speech.exchange import Failure, failure
from schemas.transcription_codes import Reason

MAX_MESSAGE_BYTES = 256 * 1024
"""Far above what the words of an utterance take."""

MAX_MESSAGES = 16
"""That wait to be read; then the service has to."""

CLOSING_S = 1.0

_SILENT = logging.getLogger(f"{__name__}.wire")
_SILENT.disabled = True  # it would write down the key, and what was said


class Refused(Exception):
    """No connection; `failure` says why."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why.reason)
        self.failure = why


class Lost(Exception):
    """The connection is gone, as announced or not."""


class _Connect(connect):
    """Without redirects: the next one would be sent sound."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Wire:
    """One connection. Sending waits while the service does not read."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: str | bytes) -> None:
        """Raises Lost."""
        try:
            await self._connection.send(message)
        except (ConnectionClosed, OSError):
            raise Lost from None

    async def receive(self) -> str | bytes:
        """The next message. Raises Lost."""
        try:
            return await self._connection.recv()
        except (ConnectionClosed, OSError):
            raise Lost from None


class DictationClient:
    """Use it within one event loop. `limit_s` is for a connection to be made."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once: it takes as long as many connections."""
        return httpx.create_ssl_context(trust_env=False)

    @asynccontextmanager
    async def opened(self, opening: Opening) -> AsyncIterator[Wire]:
        """A connection as long as it is used; then it is gone at once. Raises Refused."""
        connection = await self._connected(opening)
        try:
            yield Wire(connection)
        finally:
            connection.transport.abort()

    async def _connected(self, opening: Opening) -> ClientConnection:
        try:
            return await _Connect(
                opening.url,
                ssl=self._tls if opening.url.startswith("wss:") else None,
                proxy=None,
                additional_headers=opening.headers,
                user_agent_header=USER_AGENT,
                compression=None,
                open_timeout=self._limit_s,
                close_timeout=CLOSING_S,
                ping_interval=None,
                max_size=MAX_MESSAGE_BYTES,
                max_queue=MAX_MESSAGES,
                logger=_SILENT,
            )
        except (OSError, WebSocketException, ValueError) as error:
            raise Refused(_why(error)) from None


def _why(error: Exception) -> Failure:
    match error:
        case TimeoutError():
            return Failure(Reason.TIMED_OUT, is_final=False)
        case InvalidStatus(response=response):
            said = failure(response.status_code, response.headers)
            return said or Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)
    # A certificate that is not good is a ValueError, too, but none of what was asked.
    is_askeds = isinstance(error, InvalidURI | ValueError) and not isinstance(error, OSError)
    return Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=is_askeds)
