"""What a stream is started with: which one, with whose credentials, and how to behave."""

from dataclasses import dataclass, field

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
