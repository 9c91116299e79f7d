"""Posts to receivers: the address that was judged is the one connected to, redirects are not followed, answers are not
read beyond their beginning.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from connectors.webhooks.kept import Kept
from connectors.webhooks.targets import TargetPolicy

EXCERPT_BYTES = 500

KEEP_S = 30.0
"""A connection without a request is kept."""


class Refused(Exception):
    """No address of the receiver may be connected to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said, or why nothing was heard (`error`, a word for the log of deliveries)."""

    status_code: int | None = None
    error: str | None = None
    excerpt: str = ""


class Sender:
    """Use it within one event loop; close it there. Who posts sees to it that no more than `connections` are under way;
    a quarter as many are kept beside them."""

    def __init__(self, policy: TargetPolicy, timeout_s: float, connections: int) -> None:
        self._policy, self._timeout_s = policy, timeout_s
        self._tls, self._network = ssl.create_default_context(), _Judging(policy, timeout_s)
        self._kept = Kept(self._connection, connections // 4, KEEP_S)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one; never raises for what a receiver or the network does."""
        if not self._policy.permits_url(url):
            return Answer(error="target_not_allowed")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, body, headers)
        except TimeoutError:
            return Answer(error="timeout")
        except Refused:
            return Answer(error="target_not_allowed")
        except httpcore.TimeoutException:
            return Answer(error="timeout")
        except ssl.SSLError:
            return Answer(error="tls_failed")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            failed_tls = isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error)
            return Answer(error="tls_failed" if failed_tls else "connection_failed")

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        target = httpcore.URL(url)
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        connection = await self._kept.take(target.origin)
        try:
            async with connection.stream("POST", target, headers=sent, content=body) as response:
                beginning = b""
                async for chunk in response.aiter_stream():
                    beginning += chunk
                    if len(beginning) >= EXCERPT_BYTES:
                        break
        finally:
            await self._kept.give_back(target.origin, connection)
        return Answer(response.status, excerpt=beginning[:EXCERPT_BYTES].decode(errors="replace"))

    def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._tls, keepalive_expiry=KEEP_S, network_backend=self._network
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._kept.close()


class _Judging(AsyncNetworkBackend):
    """Resolves a name itself and connects to an address that passes, so that no later look-up can say another."""

    def __init__(self, policy: TargetPolicy, timeout_s: float) -> None:
        self._policy, self._timeout_s = policy, timeout_s
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's signature
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        permitted = [address for address in dict.fromkeys(addresses) if self._policy.permits_address(address)]
        if not permitted:
            raise Refused
        for address in permitted[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(permitted[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
