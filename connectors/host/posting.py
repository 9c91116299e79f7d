"""Posts small things to the `listening` port of another process of ours: no redirects, no proxy, a bounded time."""

import asyncio
from collections.abc import Mapping

import httpx

TIMED_OUT = "timed_out"
UNREACHABLE = "unreachable"


class Poster:
    """Use it within one event loop; close it there. `limit_s` is for one post from its beginning to its answer."""

    def __init__(self, limit_s: float, connections: int) -> None:
        self._limit_s = limit_s
        self._http = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=limit_s,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=0),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def post(self, address: str, path: str, body: bytes, headers: Mapping[str, str]) -> str:
        """The status of the answer, whose body is not read, or why there was none; whatever the address, no error."""
        try:
            async with asyncio.timeout(self._limit_s):
                url = f"http://{address}{path}"
                async with self._http.stream("POST", url, content=body, headers=dict(headers)) as answer:
                    return str(answer.status_code)
        except (TimeoutError, httpx.TimeoutException):
            return TIMED_OUT
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError):
            return UNREACHABLE
