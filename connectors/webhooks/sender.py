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

from connectors.webhooks.targets import TargetPolicy

EXCERPT_BYTES = 500


class Refused(Exception):
    """No address of the receiver may be connected to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said, or why nothing was heard (`error`, a word for the log of deliveries)."""

    status_code: int | None = None
    error: str | None = None
    excerpt: str = ""


class Sender:
    """Use it within one event loop; close it there."""

    def __init__(self, policy: TargetPolicy, timeout_s: float, connections: int) -> None:
        self._policy, self._timeout_s = policy, timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=connections,
            max_keepalive_connections=connections // 4,
            keepalive_expiry=30.0,
            network_backend=_Judging(policy, timeout_s),
        )

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
        except (httpcore.TimeoutException, httpcore.PoolTimeout):
            return Answer(error="timeout")
        except ssl.SSLError:
            return Answer(error="tls_failed")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
            failed_tls = isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error)
            return Answer(error="tls_failed" if failed_tls else "connection_failed")

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with self._pool.stream("POST", url, headers=sent, content=body) as response:
            beginning = b""
            async for chunk in response.aiter_stream():
                beginning += chunk
                if len(beginning) >= EXCERPT_BYTES:
                    break
        return Answer(response.status, excerpt=beginning[:EXCERPT_BYTES].decode(errors="replace"))

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.aclose()


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
