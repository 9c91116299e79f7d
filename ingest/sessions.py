"""Makes the RTMS session for an App Session: which stream, with whose credentials, asking for what."""

from collections.abc import Callable

from connectors.host.clock import Clock
from connectors.rtms.protocol.codes import HZ_OF, Resolution
from connectors.rtms.protocol.events import OwnerEvent
from connectors.rtms.protocol.messages import ID_FIELDS
from connectors.rtms.protocol.parameters import (
    EVERYTHING,
    AudioParameters,
    MediaParameters,
    VideoParameters,
)
from connectors.rtms.protocol.params import StreamParams
from connectors.rtms.session import RtmsSession
from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.choice import create_transport
from ingest.credentials import ZoomCredentials
from ingest.live import CreateSession
from ingest.refusals import UnusableRequest
from schemas import settings as session_settings
from schemas.records import AppSession
from schemas.settings import SessionSettings

_RESOLUTION_OF_HEIGHT = {360: Resolution.SD, 720: Resolution.HD, 1080: Resolution.FHD, 1440: Resolution.QHD}
_RATE_OF_HZ = {hz: rate for rate, hz in HZ_OF.items()}


def wanted(settings: SessionSettings) -> MediaParameters:
    """What to ask Zoom for. Whatever the topics can carry is asked for: they may be consumed directly."""
    return MediaParameters(
        audio=AudioParameters(
            sample_rate=_RATE_OF_HZ[settings.audio_sample_rate_hz], send_rate=settings.audio_send_rate_ms
        ),
        video=VideoParameters(resolution=_RESOLUTION_OF_HEIGHT[settings.video_height], fps=settings.video_fps),
        share=EVERYTHING.share,
        captions=EVERYTHING.captions,
        chat=EVERYTHING.chat,
    )


def asked_for(settings: str) -> MediaParameters:
    """`wanted` for a session's settings as they stand in its state.

    Raises:
        UnusableRequest: Zoom has no name for a value in them, or they are no settings.
    """
    try:
        return wanted(session_settings.loads(settings))
    except (ValueError, KeyError) as error:
        raise UnusableRequest("settings that Zoom cannot be asked for") from error


def session_factory(credentials: ZoomCredentials, zoom: ZoomSettings, clock: Clock) -> CreateSession:
    """A function that makes a session for a state; it raises CannotJoin."""
    transport, policy = create_transport(zoom), zoom.policy()

    async def create(state: AppSession, on_event: Callable[[OwnerEvent], None]) -> RtmsSession:
        request = state.request
        if request.product not in ID_FIELDS:
            raise UnusableRequest("no such product")
        media = asked_for(state.settings)
        app = await credentials.of(request.zoom_app_id)
        params = StreamParams(
            product=request.product,
            meeting_id=request.meeting_id,
            stream_id=request.stream_id,
            server_urls=request.server_urls,
            client_id=app.client_id,
            client_secret=app.client_secret,
        )
        return RtmsSession(params, on_event, transport=transport, clock=clock, media=media, policy=policy)

    return create
