"""What a stream has to say: messages for Zoom and events for the owner, collected until they are fetched."""

from collections.abc import Sequence

from connectors.rtms.protocol.events import Event, ZoomEvent

EARLY_BYTES = 8 * 1024 * 1024
"""So much is held back; nobody says as much before a stream has begun."""

_EVENT_BYTES = 256
"""What an event takes beside its details."""


class Outbox:
    """What must not be seen before media may flow is held back; it is let out, or dies with the stream."""

    __slots__ = ("_early", "_early_bytes", "events", "sends")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.sends: list[tuple[str, bytes]] = []
        self._early: list[Event] = []
        self._early_bytes = 0

    def hold_back(self, events: Sequence[ZoomEvent]) -> bool:
        """Keep these until media may flow; False when there is no room for them."""
        size = self._early_bytes + sum(_EVENT_BYTES + len(event.details) for event in events)
        if size > EARLY_BYTES:
            return False
        self._early += events
        self._early_bytes = size
        return True

    def release(self) -> None:
        """Media may flow: what was held back comes now."""
        self.events += self._early
        self._early.clear()
        self._early_bytes = 0

    def take_events(self) -> list[Event]:
        """All events since the last call."""
        events = self.events
        if events:
            self.events = []
        return events

    def take_sends(self) -> list[tuple[str, bytes]]:
        """All messages since the last call."""
        sends = self.sends
        if sends:
            self.sends = []
        return sends
