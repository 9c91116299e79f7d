"""Makes the RTMS session for an App Session: which stream, with whose credentials, asking for what."""

from collections.abc import Callable
from dataclasses import replace

from connectors.host.clock import Clock
from connectors.rtms.protocol.codes import HZ_OF, DataOption, MediaCodec, Resolution
from connectors.rtms.protocol.events import OwnerEvent
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.messages import ID_FIELDS
from connectors.rtms.protocol.parameters import (
    AudioParameters,
    CaptionParameters,
    ChatParameters,
    MediaParameters,
    ShareParameters,
    VideoParameters,
)
from connectors.rtms.session import RtmsSession
from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.choice import create_transport
from ingest.caution import CautiousTransport
from ingest.contact import Contact
from ingest.credentials import ZoomCredentials
from ingest.live import CreateSession
from ingest.refusals import UnusableRequest
from schemas import settings as session_settings
from schemas.languages import language_number
from schemas.records import AppSession
from schemas.settings import AudioCodec, PictureCodec, SessionSettings, VideoView

_RESOLUTION_OF_HEIGHT = {360: Resolution.SD, 720: Resolution.HD, 1080: Resolution.FHD, 1440: Resolution.QHD}
_AUDIO_CODECS = {
    AudioCodec.L16: MediaCodec.L16,
    AudioCodec.G711: MediaCodec.G711,
    AudioCodec.G722: MediaCodec.G722,
    AudioCodec.OPUS: MediaCodec.OPUS,
}
_PICTURE_CODECS = {
    PictureCodec.H264: MediaCodec.H264,
    PictureCodec.JPG: MediaCodec.JPG,
    PictureCodec.PNG: MediaCodec.PNG,
}
_VIEWS = {
    VideoView.ACTIVE_SPEAKER: DataOption.VIDEO_SINGLE_ACTIVE_STREAM,
    VideoView.INDIVIDUAL: DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM,
}
_RATE_OF_HZ = {hz: rate for rate, hz in HZ_OF.items()}


def wanted(settings: SessionSettings) -> MediaParameters:
    """What to ask Zoom for. Whatever the topics can carry is asked for: they may be consumed directly.

    Raises:
        KeyError: Zoom has no name for a value.
    """
    return MediaParameters(
        audio=AudioParameters(
            codec=_AUDIO_CODECS[settings.audio_codec],
            sample_rate=_RATE_OF_HZ[settings.audio_sample_rate_hz],
            channel=settings.audio_channels,
            data_opt=DataOption.AUDIO_MIXED_STREAM if settings.mixed_audio else DataOption.AUDIO_MULTI_STREAMS,
            send_rate=settings.audio_send_rate_ms,
        ).as_allowed(),
        video=VideoParameters(
            codec=_PICTURE_CODECS[settings.video_codec],
            resolution=_RESOLUTION_OF_HEIGHT[settings.video_height],
            data_opt=_VIEWS[settings.video_view],
            fps=settings.video_fps,
        ).as_allowed(),
        share=ShareParameters(
            codec=_PICTURE_CODECS[settings.share_codec],
            resolution=_RESOLUTION_OF_HEIGHT[settings.share_height],
            fps=settings.share_fps,
        ).as_allowed(),
        captions=CaptionParameters(
            src_language=language_number(settings.caption_language), enable_lid=settings.identify_language
        ),
        chat=ChatParameters(),
    )


def behaviour(settings: SessionSettings, policy: StreamPolicy) -> StreamPolicy:
    """The worker's policy as the session wants it."""
    unified = policy.unified if settings.split_sockets is None else not settings.split_sockets
    return replace(policy, unified=unified, buffer_data=settings.buffered_audio)


def asked_for(settings: str, policy: StreamPolicy) -> tuple[MediaParameters, StreamPolicy]:
    """`wanted` and `behaviour` for a session's settings as they stand in its state.

    Raises:
        UnusableRequest: Zoom has no name for a value in them, or they are no settings.
    """
    try:
        known = session_settings.loads(settings)
        return wanted(known), behaviour(known, policy)
    except (ValueError, KeyError) as error:
        raise UnusableRequest("settings that Zoom cannot be asked for") from error


def session_factory(credentials: ZoomCredentials, zoom: ZoomSettings, clock: Clock, contact: Contact) -> CreateSession:
    """A function that makes a session for a state; it raises CannotJoin."""
    transport, policy = CautiousTransport(create_transport(zoom), contact), zoom.policy()

    async def create(state: AppSession, on_event: Callable[[OwnerEvent], None]) -> RtmsSession:
        request = state.request
        if request.product not in ID_FIELDS:
            raise UnusableRequest("no such product")
        media, behaving = asked_for(state.settings, policy)
        app = await credentials.of(request.zoom_app_id)
        params = StreamParams(
            product=request.product,
            meeting_id=request.meeting_id,
            stream_id=request.stream_id,
            server_urls=request.server_urls,
            client_id=app.client_id,
            client_secret=app.client_secret,
        )
        return RtmsSession(params, on_event, transport=transport, clock=clock, media=media, policy=behaving)

    return create
