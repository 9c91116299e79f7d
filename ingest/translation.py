"""From what Zoom said to what our topics say. Pure: field by field, nothing is judged or looked into."""

import math
from functools import lru_cache

import msgspec

from connectors.rtms.protocol import codes
from connectors.rtms.protocol.events import CaptionReceived, ChatReceived, EndCause, MediumRefused, ZoomEvent
from connectors.rtms.protocol.parameters import AudioParameters, MediaParameters, ShareParameters, VideoParameters
from connectors.rtms.session import SessionOutcome
from ingest.publisher import Encodings, Identity
from ingest.worker import Outcome
from schemas import ids
from schemas.records import Caption, Chat, Codec, Event, FactKind, RecordKind

_CODEC_OF = {
    codes.MediaCodec.L16: Codec.L16,
    codes.MediaCodec.G711: Codec.G711,
    codes.MediaCodec.G722: Codec.G722,
    codes.MediaCodec.OPUS: Codec.OPUS,
    codes.MediaCodec.JPG: Codec.JPG,
    codes.MediaCodec.PNG: Codec.PNG,
    codes.MediaCodec.H264: Codec.H264,
}


def codec(number: int) -> Codec:
    """Our name for Zoom's payload type; `unknown` for one that nobody has named yet."""
    known = codes.known(codes.MediaCodec, number)
    return Codec.UNKNOWN if known is None else _CODEC_OF.get(known, Codec.UNKNOWN)


participant_of_channel = lru_cache(maxsize=1024)(ids.participant_of_channel)


def participant(user_id: int, channel_id: str | None) -> int:
    """Who it is: Zoom's user id or, where it names a channel instead, a number that stands for the channel."""
    return user_id if user_id or not channel_id else participant_of_channel(channel_id)


def encodings(negotiated: MediaParameters) -> Encodings:
    """What the frames of this epoch are, as Zoom agreed to it."""
    audio = negotiated.audio
    return Encodings(
        audio=_audio_codec(audio),
        sample_rate_hz=audio.sample_rate_hz if audio else 0,
        channels=audio.channel if audio else 0,
        chunk_ms=audio.send_rate if audio else 0,
        is_mixed=audio is not None and audio.data_opt == codes.DataOption.AUDIO_MIXED_STREAM,
        video=_picture_codec(negotiated.video),
        video_ms=_picture_ms(negotiated.video),
        share=_picture_codec(negotiated.share),
        share_ms=_picture_ms(negotiated.share),
    )


def _audio_codec(parameters: AudioParameters | None) -> Codec:
    """RTP is never asked for; its packets are what they carry only once somebody has unpacked them."""
    if parameters is None:
        return Codec.NONE
    is_packet = parameters.content_type == codes.ContentType.RTP
    return Codec.UNKNOWN if is_packet else codec(parameters.codec)


def _picture_codec(parameters: VideoParameters | ShareParameters | None) -> Codec:
    return codec(parameters.codec) if parameters else Codec.NONE


def _picture_ms(parameters: VideoParameters | ShareParameters | None) -> int:
    return math.ceil(1000 / parameters.fps) if parameters and parameters.fps > 0 else 0


def negotiated_json(negotiated: MediaParameters) -> str:
    """Zoom's message 4 in Zoom's own words, for the `begin` record."""
    return msgspec.json.encode(negotiated.to_wire()).decode()


def caption(identity: Identity, event: CaptionReceived, arrived_us: int) -> Caption:
    return Caption(
        session_id=identity.session_id,
        kind=RecordKind.FRAME,
        participant_id=participant(event.user_id, event.channel_id),
        participant_name=event.user_name,
        epoch=identity.epoch,
        sequence=0,
        timestamp_ms=event.timestamp_ms,
        arrived_us=arrived_us,
        start_ms=event.start_ms,
        end_ms=event.end_ms,
        language=event.language,
        text=event.text,
        operation=codes.name_of(codes.TextAttribute, event.attribute),
    )


def chat(identity: Identity, event: ChatReceived, arrived_us: int) -> Chat:
    return Chat(
        session_id=identity.session_id,
        kind=RecordKind.FRAME,
        participant_id=event.user_id,
        participant_name=event.user_name,
        epoch=identity.epoch,
        sequence=0,
        timestamp_ms=event.timestamp_ms,
        arrived_us=arrived_us,
        message_id=event.message_id,
        parent_message_id=event.parent_message_id,
        operation=event.operation,
        text=event.text,
        details=event.details,
    )


def meeting_event(identity: Identity, event: ZoomEvent, arrived_us: int) -> Event:
    return Event(
        session_id=identity.session_id,
        kind=RecordKind.FRAME,
        participant_id=participant(event.user_id, event.channel_id),
        participant_name=event.user_name,
        epoch=identity.epoch,
        sequence=0,
        timestamp_ms=event.timestamp_ms or arrived_us // 1000,  # Zoom did not say when, and nothing told its time yet
        arrived_us=arrived_us,
        event=event.name,
        code=event.code,
        details=event.details,
    )


_STOPPED = (EndCause.STOPPED, EndCause.CLOSED)
"""The ends whose code is a stop reason."""


def outcome(ended: SessionOutcome, *, connected_before: bool) -> Outcome:
    """The fact that follows from the end of a stream; only a session that was never connected has failed to."""
    never = not (ended.connected_once or connected_before)
    kind = FactKind.CONNECTION_FAILED if never and ended.cause is not EndCause.STOPPED else FactKind.STREAM_OVER
    is_revoked = ended.cause in _STOPPED and ended.code == codes.StopReason.STREAM_REVOKED
    return Outcome(kind, _reason(ended), is_revoked)


def refused(event: MediumRefused) -> str:
    """A medium that Zoom does not give, as one of the session's failures."""
    return f"{event.medium}: {codes.name_of(codes.Status, event.code)}"


def _reason(ended: SessionOutcome) -> str:
    if ended.code is None:
        return ended.cause
    numbers = codes.StopReason if ended.cause in _STOPPED else codes.Status
    return f"{ended.cause}: {codes.name_of(numbers, ended.code).lower()}"
