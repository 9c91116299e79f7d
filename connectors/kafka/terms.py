"""Which sessions' data is to be deleted when, as their states say. Book-keeping; time is an argument."""

import heapq
import threading
from collections.abc import Collection

from schemas import retention
from schemas.records import AppSession


class Terms:
    """Safe to use from any thread. It holds the sessions that are over and whose data is kept for a term."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due_ms: dict[str, tuple[int, int]] = {}
        self._waiting: list[tuple[int, str]] = []
        self._passed: set[str] = set()

    def know(self, session: AppSession, partition: int) -> None:
        """The session's newest state."""
        due_ms = retention.due_ms(session)
        with self._lock:
            known = self._due_ms.pop(session.session_id, None)
            if due_ms is None:
                self._passed.discard(session.session_id)
                return
            self._due_ms[session.session_id] = due_ms, partition
            if known is None or known[0] != due_ms:
                heapq.heappush(self._waiting, (due_ms, session.session_id))

    def forget(self, session_id: str) -> None:
        """The session is archived."""
        with self._lock:
            self._due_ms.pop(session_id, None)
            self._passed.discard(session_id)

    def passed(self, partitions: Collection[int], now_ms: int) -> list[str]:
        """The sessions in these partitions whose term is over and whose data is not deleted yet."""
        with self._lock:
            while self._waiting and self._waiting[0][0] <= now_ms:
                due_ms, session_id = heapq.heappop(self._waiting)
                if self._due_ms.get(session_id, (None,))[0] == due_ms:
                    self._passed.add(session_id)
            return [session_id for session_id in self._passed if self._due_ms[session_id][1] in partitions]
