"""What a stream has to say: messages for Zoom and events for the owner, collected until they are fetched."""

from connectors.rtms.protocol.events import Event


class Outbox:
    """`early` holds what must not be seen before media may flow; it is let out, or dies with the stream."""

    __slots__ = ("early", "events", "sends")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.early: list[Event] = []
        self.sends: list[tuple[str, bytes]] = []

    def release(self) -> None:
        """Media may flow: what was held back comes now."""
        self.events += self.early
        self.early.clear()

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
