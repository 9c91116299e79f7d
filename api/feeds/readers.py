"""Those who read a feed: what they are told, one event after the other, until the feed or their connection ends."""

import secrets
from collections.abc import AsyncIterator
from typing import Protocol

from api.feeds.events import Event

Told = AsyncIterator[Event | None]
"""None: there was nothing to tell for a while, time for a sign of life."""

_SOONEST_MS, _SPREAD_MS = 500, 2500


class Reader(Protocol):
    """`begin`, then go through `events`; `close` whatever happens."""

    async def begin(self) -> bool:
        """Be ready to tell; false when the reader has everything up to the end. Raises ApiError 400, 410 and 503."""

    def events(self, keep_alive_s: float) -> Told:
        """What is to be told, to the end of the feed or of the connection."""

    def close(self) -> None:
        """The reader is gone."""


def retry_ms() -> int:
    """When to come back: those who were sent away together do not come back together."""
    return _SOONEST_MS + secrets.randbelow(_SPREAD_MS)
