"""Many who read live transcripts at once, over connections of their own."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

from tests.support.house import House, Tenant
from tests.support.processes import PATIENCE_S, wait_for


class Crowd:
    """Readers in one thread; `heard` of each says when every line came, as often as it came."""

    def __init__(self, house: House, tenant: Tenant) -> None:
        address = urlsplit(house.url)
        self._host, self._port, self._key = address.hostname or "", address.port or 0, tenant.key
        self.heard: list[dict[str, list[float]]] = []
        self._open = self._over = 0
        self._reading: list[Future[None]] = []  # or nobody would hold them while they wait
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crowd", daemon=True)
        self._thread.start()

    def come(self, names: Sequence[str], readers: int) -> None:
        """Have so many listen, by turns to each of the sessions; return when each has been answered."""
        for number in range(readers):
            heard: dict[str, list[float]] = {}
            self.heard.append(heard)
            self._reading.append(self._start(self._listen(names[number % len(names)], heard)))
        wait_for(lambda: self._open == readers, PATIENCE_S, lambda: f"{self._open} feeds are open")

    def await_end(self) -> None:
        """Return when every feed has ended by itself."""
        wait_for(lambda: self._over == len(self.heard), PATIENCE_S, lambda: f"{self._over} feeds are over")

    def close(self) -> None:
        """All go."""

        async def leave() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._start(leave()).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _listen(self, session_id: str, heard: dict[str, list[float]]) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        path = f"/api/v1/app_sessions/{session_id}/transcript/stream"
        head = f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Token {self._key}\r\n\r\n"
        try:
            writer.write(head.encode())
            assert b" 200 " in await reader.readline()
            self._open += 1
            async for line in reader:
                if line.startswith(b"data:") and b'"id":"utt_' in line:
                    item = json.loads(line.removeprefix(b"data:"))["id"]
                    heard.setdefault(item, []).append(time.monotonic())
            self._over += 1
        finally:
            writer.close()
