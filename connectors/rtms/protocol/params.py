"""What a stream is started with: which one, with whose credentials, and how to behave."""

from dataclasses import dataclass, field
from enum import StrEnum

from connectors.rtms.protocol.addresses import AddressPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamParams:
    """Which stream to join, as a `started` webhook and the app's credentials say.

    `product` is one of `messages.ID_FIELDS`; `meeting_id` is that product's id exactly as the webhook gave it.
    """

    product: str
    meeting_id: str
    stream_id: str
    server_urls: tuple[str, ...]
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPolicy:
    """`unified`: one media socket for all media, else one each. `probing`: WebSocket pings as evidence for ticks.

    `buffer_data`: whether Zoom is to send the audio that it buffered before the first connection.
    """

    addresses: AddressPolicy = AddressPolicy()
    unified: bool = True
    probing: bool = True
    buffer_data: bool = True
    answer_ms: int = 10_000
    watchdog_ms: int = 30_000


class Phase(StrEnum):
    """NEW, then RUNNING whether connected or not, then on one of three ways to OVER; `LIFE` is the table."""

    NEW = "new"
    RUNNING = "running"
    LEAVING = "leaving"  # asked Zoom to end the stream
    ENDING = "ending"  # it is over: reading what is still on its way
    HANDING_OVER = "handing_over"  # closing sockets, the stream lives on
    OVER = "over"


class Turn(StrEnum):
    """What moves a stream from one phase to the next."""

    STARTED = "started"
    CLOSED = "asked to close"
    ENDED = "ended"
    HANDED_OVER = "handed over"
    SETTLED = "all sockets closed"


LIFE: dict[Phase, dict[Turn, Phase]] = {
    Phase.NEW: {
        Turn.STARTED: Phase.RUNNING,
        Turn.ENDED: Phase.ENDING,
        Turn.HANDED_OVER: Phase.HANDING_OVER,
    },
    Phase.RUNNING: {
        Turn.CLOSED: Phase.LEAVING,
        Turn.ENDED: Phase.ENDING,
        Turn.HANDED_OVER: Phase.HANDING_OVER,
    },
    Phase.LEAVING: {
        Turn.ENDED: Phase.ENDING,
        Turn.HANDED_OVER: Phase.HANDING_OVER,
    },
    Phase.ENDING: {Turn.SETTLED: Phase.OVER},
    Phase.HANDING_OVER: {Turn.SETTLED: Phase.OVER},
    Phase.OVER: {},
}
"""(phase, turn) -> phase'. A turn that is not in it is not taken: whoever asks for it comes too late."""
