"""Which transport a deployment uses; only the chosen library is imported."""

from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.sockets import Transport, TransportOptions


def create_transport(settings: ZoomSettings) -> Transport:
    """The transport that the settings name, with their limits."""
    options = TransportOptions(
        tls=settings.tls(),
        max_message_bytes=settings.max_message_bytes,
        open_timeout_s=settings.open_timeout_s,
        close_timeout_s=settings.close_timeout_s,
    )
    if settings.transport == "websockets":
        from connectors.rtms.transport.websockets_transport import WebsocketsTransport

        return WebsocketsTransport(options)
    from connectors.rtms.transport.picows_transport import PicowsTransport

    return PicowsTransport(options)
