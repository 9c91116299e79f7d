"""Posts deliveries from an event loop of its own, bounded as a whole and per receiver's host."""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

from connectors.webhooks.sender import Answer, Sender
from connectors.webhooks.targets import TargetPolicy
from sinks.webhooks.settings import SinkWebhooksSettings

_Result = TypeVar("_Result")


class Posting:
    """One thread. `room` before `post`; both from one other thread."""

    def __init__(self, policy: TargetPolicy, settings: SinkWebhooksSettings) -> None:
        self._policy, self._timeout_s = policy, settings.timeout_s
        self._most, self._most_per_host = settings.in_flight, settings.in_flight_per_host
        self._loop = asyncio.new_event_loop()
        # For look-ups: each holds a thread for as long as the resolver tries, and by itself a loop has few.
        self._loop.set_default_executor(ThreadPoolExecutor(self._most, thread_name_prefix="look-up"))
        self._thread = threading.Thread(target=self._loop.run_forever, name="posting", daemon=True)
        self._thread.start()
        self._sender = self._run(self._open())
        self._hosts: Counter[str] = Counter()
        self._under_way: set[asyncio.Task[Any]] = set()

    def has_room(self, url: str) -> bool:
        """Whether one more may be tried now: a host that does not answer must not take everybody's turn."""
        return self._hosts.total() < self._most and self._hosts[_host(url)] < self._most_per_host

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> "Future[Answer]":
        """Send one."""
        self.reserve(url)
        return asyncio.run_coroutine_threadsafe(self._post(url, body.encode(), headers), self._loop)

    def reserve(self, url: str) -> None:
        """Count one that is under way."""
        self._hosts[_host(url)] += 1

    def done(self, url: str) -> None:
        """Its answer was taken."""
        host = _host(url)
        self._hosts[host] -= 1
        if not self._hosts[host]:
            del self._hosts[host]

    def close(self) -> None:
        """Break off what is under way: it is tried again by a successor."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> Sender:
        return Sender(self._policy, self._timeout_s, self._most)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        posting = asyncio.current_task()
        assert posting is not None
        self._under_way.add(posting)
        try:
            return await self._sender.post(url, body, headers)
        finally:
            self._under_way.discard(posting)

    async def _end(self) -> None:
        """Only the attempts are cancelled: each ends the tasks that its connection has begun by itself."""
        under_way = tuple(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._sender.close()

    def _run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(self._timeout_s)


def _host(url: str) -> str:
    return urlsplit(url).netloc
