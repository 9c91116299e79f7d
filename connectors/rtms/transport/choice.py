"""Which transport a deployment uses; only the chosen library is imported."""

from connectors.host.clock import SystemClock
from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.sockets import Transport, TransportOptions


def create_transport(settings: ZoomSettings) -> Transport:
    """The transport that the settings name, with their limits; one that keeps what it carries if they say so."""
    transport = _create(settings)
    if settings.capture_folder is None:
        return transport
    from connectors.rtms.transport.capture import CapturingTransport

    names = not settings.capture_names
    return CapturingTransport(transport, settings.capture_folder, SystemClock(), pseudonymise=names)


def _create(settings: ZoomSettings) -> Transport:
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
