"""Zoom's side of the keep-alive on one socket: numbers the requests, counts those without an answer. Pure."""

from collections.abc import Mapping
from typing import Any

from connectors.rtms.protocol import messages

TOLERATED = 3
"""So many requests without an answer end the connection."""


class KeepAlives:
    """An answer must carry the timestamp of a request that is still open; it settles that one and those before it."""

    def __init__(self) -> None:
        self._sequence = 0
        self._open: list[int] = []
        self._last_ms = 0

    @property
    def unanswered(self) -> int:
        """How many requests are open."""
        return len(self._open)

    def request(self, now_ms: int) -> bytes:
        """The next message 12; no two carry the same timestamp."""
        self._sequence += 1
        self._last_ms = max(now_ms, self._last_ms + 1)
        self._open.append(self._last_ms)
        return messages.keep_alive_request(self._last_ms, self._sequence)

    def answer(self, message: Mapping[str, Any]) -> bool:
        """Take a message 13; False when it answers nothing."""
        stamp = message.get("timestamp")
        if stamp not in self._open:
            return False
        self._open = self._open[self._open.index(stamp) + 1 :]
        return True
