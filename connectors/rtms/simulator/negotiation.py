"""What Zoom says to the media that a client asks for in message 3: pure rules, the defaults and refusals included.

The rules are those of Zoom's documents, combination by combination. Where the documents allow what this simulator
cannot play, RTP, it refuses with the code that names the field, instead of playing something else. Pictures are
1280x720 whatever was asked, as a camera's are, and the answer says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.rtms.protocol.codes import (
    MEDIA_TYPE_OF,
    ContentType,
    DataOption,
    MediaCodec,
    MediaType,
    Medium,
    Resolution,
    SampleRate,
    Status,
    known,
)
from connectors.rtms.protocol.errors import Refused
from connectors.rtms.protocol.parameters import (
    WIRE_KEYS,
    AudioParameters,
    CaptionParameters,
    ChatParameters,
    MediaParameters,
    ShareParameters,
    VideoParameters,
)
from connectors.rtms.simulator.audio_encoder import AudioCodec
from connectors.rtms.simulator.film import FilmFormat, PictureCodec, Subject
from connectors.rtms.simulator.meeting import Formats
from connectors.rtms.simulator.sound import AudioFormat

MAX_SEND_RATE_MS = 1_000
_SEND_STEP_MS = 20
_MAX_FPS = 30
_STILL_FPS = 5
"""JPG and PNG are for at most this many pictures a second."""

_LANGUAGES = range(-1, 37)

_DEFAULT_AUDIO = AudioParameters(data_opt=DataOption.AUDIO_MIXED_STREAM, send_rate=20)
_DEFAULT_VIDEO = VideoParameters(codec=MediaCodec.JPG, fps=5)
_DEFAULT_SHARE = ShareParameters(codec=MediaCodec.JPG, fps=1)

_ENCODED_RATES = {
    MediaCodec.OPUS: SampleRate.SR_48K, MediaCodec.G711: SampleRate.SR_8K, MediaCodec.G722: SampleRate.SR_16K,
}  # fmt: skip

_NOT_SUPPORTED = {
    Medium.AUDIO: Status.MEDIA_TYPE_AUDIO_NOT_SUPPORT,
    Medium.VIDEO: Status.MEDIA_TYPE_VIDEO_NOT_SUPPORT,
    Medium.SHARE: Status.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT,
    Medium.CAPTIONS: Status.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT,
    Medium.CHAT: Status.MEDIA_TYPE_CHAT_NOT_SUPPORT,
}

_AUDIO_CODECS = {
    MediaCodec.L16: AudioCodec.L16,
    MediaCodec.G711: AudioCodec.G711,
    MediaCodec.G722: AudioCodec.G722,
    MediaCodec.OPUS: AudioCodec.OPUS,
}

_CODECS = {
    MediaCodec.H264: PictureCodec.H264,
    MediaCodec.JPG: PictureCodec.JPG,
    MediaCodec.PNG: PictureCodec.PNG,
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a media socket will carry; `whole` when everything was asked for with the one number for all."""

    whole: bool
    parameters: MediaParameters

    @property
    def media(self) -> frozenset[Medium]:
        """The media of the socket."""
        return frozenset(self.parameters)

    @property
    def individual(self) -> bool:
        """Whether video is the camera that the client chooses."""
        video = self.parameters.video
        return video is not None and video.data_opt == DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM

    @property
    def formats(self) -> Formats:
        """The same for the meeting; media that are not there keep their usual form."""
        formats = Formats()
        if (audio := self.parameters.audio) is not None:
            mixed = audio.data_opt == DataOption.AUDIO_MIXED_STREAM
            formats = replace(
                formats,
                audio=AudioFormat(
                    audio.send_rate,
                    audio.sample_rate_hz,
                    audio.channel,
                    mixed=mixed,
                    codec=_AUDIO_CODECS.get(MediaCodec(audio.codec), AudioCodec.L16),
                ),
            )
        if (video := self.parameters.video) is not None:
            subject = Subject.CAMERAS if self.individual else Subject.CAMERA
            formats = replace(formats, video=_film(subject, video.codec, video.fps))
        if (share := self.parameters.share) is not None:
            formats = replace(formats, share=_film(Subject.SHARE, share.codec, share.fps))
        return formats


def _film(subject: Subject, codec: int, fps: int) -> FilmFormat:
    return FilmFormat(subject, _CODECS[MediaCodec(codec)], fps)


def negotiate(request: Mapping[str, Any], offered: frozenset[Medium]) -> Agreement:
    """The agreement for a decoded message 3, given what the app's scopes offer.

    Raises:
        Refused: with the status that names what is wrong.
    """
    if request.get("payload_encryption") not in (None, False):
        raise Refused(Status.INVALID_MEDIA_PARAMS, "payload encryption is not offered")
    mask = request.get("media_type")
    media = _wanted(mask, offered)
    asked = request.get("media_params")
    if asked is not None and not isinstance(asked, dict):
        raise Refused(Status.INVALID_MEDIA_PARAMS, "media_params is not an object")
    given = {medium: _object(asked or {}, medium) for medium in media}
    return Agreement(
        whole=mask == MediaType.ALL,
        parameters=MediaParameters(
            audio=_audio(given[Medium.AUDIO]) if Medium.AUDIO in media else None,
            video=_video(given[Medium.VIDEO]) if Medium.VIDEO in media else None,
            share=_share(given[Medium.SHARE]) if Medium.SHARE in media else None,
            captions=_captions(given[Medium.CAPTIONS]) if Medium.CAPTIONS in media else None,
            chat=_chat(given[Medium.CHAT]) if Medium.CHAT in media else None,
        ),
    )


def _wanted(mask: Any, offered: frozenset[Medium]) -> frozenset[Medium]:
    if type(mask) is not int:
        raise Refused(Status.INVALID_MEDIA_TYPE, "media_type is not a number")
    if mask == MediaType.ALL:
        return offered
    if not 0 < mask < MediaType.ALL:
        raise Refused(Status.MEDIA_TYPE_INVALID_VALUE, "media_type is no mask of media types")
    wanted = frozenset(medium for medium, bit in MEDIA_TYPE_OF.items() if mask & bit)
    for medium in sorted(wanted - offered, key=lambda medium: MEDIA_TYPE_OF[medium]):
        raise Refused(_NOT_SUPPORTED[medium], f"the app has no scope for {WIRE_KEYS[medium]}")
    return wanted


_BAD_PARAMS = {
    Medium.AUDIO: Status.INVALID_MEDIA_AUDIO_PARAMS,
    Medium.VIDEO: Status.INVALID_MEDIA_VIDEO_PARAMS,
    Medium.SHARE: Status.INVALID_MEDIA_DESKSHARE_PARAMS,
    Medium.CAPTIONS: Status.INVALID_MEDIA_TRANSCRIPT_PARAMS,
    Medium.CHAT: Status.INVALID_MEDIA_CHAT_PARAMS,
}


def _object(asked: Mapping[str, Any], medium: Medium) -> dict[str, Any]:
    """The fields asked for one medium; absent ones and nulls stand for the defaults."""
    given = asked.get(WIRE_KEYS[medium])
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Refused(_BAD_PARAMS[medium], f"media_params.{WIRE_KEYS[medium]} is not an object")
    fields = {name: value for name, value in given.items() if value is not None}
    for name, value in fields.items():
        if name != "enable_lid" and name in _KNOWN_FIELDS and type(value) is not int:
            raise Refused(_BAD_PARAMS[medium], f"{WIRE_KEYS[medium]}.{name} is not a number")
    return fields


_KNOWN_FIELDS = frozenset(
    {"content_type", "sample_rate", "channel", "codec", "data_opt", "send_rate", "resolution", "fps", "src_language"}
)


def _require(holds: bool, status: Status, reason: str) -> None:
    if not holds:
        raise Refused(status, reason)


def _audio(given: dict[str, Any]) -> AudioParameters:
    asked = _DEFAULT_AUDIO.from_wire(given)
    _require(asked.content_type in (ContentType.RTP, ContentType.RAW_AUDIO),
             Status.INVALID_MEDIA_AUDIO_CONTENT_TYPE, "audio is RTP or raw")  # fmt: skip
    codec = known(MediaCodec, asked.codec)
    _require(codec is MediaCodec.L16 or codec in _ENCODED_RATES, Status.INVALID_MEDIA_AUDIO_CODEC, "no audio codec")
    _require(known(SampleRate, asked.sample_rate) is not None,
             Status.INVALID_MEDIA_AUDIO_SAMPLE_RATE, "no such sample rate")  # fmt: skip
    _require(asked.channel in (1, 2), Status.INVALID_MEDIA_AUDIO_CHANNEL, "one channel or two")
    _require(asked.data_opt in (DataOption.AUDIO_MIXED_STREAM, DataOption.AUDIO_MULTI_STREAMS),
             Status.INVALID_MEDIA_AUDIO_DATA_OPT, "mixed or separate streams")  # fmt: skip
    _require(asked.send_rate >= _SEND_STEP_MS and asked.send_rate % _SEND_STEP_MS == 0,
             Status.INVALID_MEDIA_AUDIO_SEND_RATE, "a multiple of 20 ms")  # fmt: skip
    _check_combination(asked, codec)
    return replace(asked, send_rate=min(asked.send_rate, MAX_SEND_RATE_MS))


def _check_combination(asked: AudioParameters, codec: MediaCodec | None) -> None:
    """The matrix of codec, rate, channels and interval; RTP, which goes with all codecs but L16, is not played here."""
    if codec in _ENCODED_RATES:
        _require(asked.sample_rate == _ENCODED_RATES[codec],
                 Status.INVALID_MEDIA_AUDIO_SAMPLE_RATE, "not with this codec")  # fmt: skip
        _require(asked.channel == 1 or codec is MediaCodec.OPUS,
                 Status.INVALID_MEDIA_AUDIO_CHANNEL, "not with this codec")  # fmt: skip
        _require(asked.send_rate == _SEND_STEP_MS, Status.INVALID_MEDIA_AUDIO_SEND_RATE, "not with this codec")
        _require(asked.content_type == ContentType.RAW_AUDIO,
                 Status.INVALID_MEDIA_AUDIO_CONTENT_TYPE, "this simulator speaks no RTP")  # fmt: skip
        return
    _require(asked.content_type == ContentType.RAW_AUDIO,
             Status.INVALID_MEDIA_AUDIO_CONTENT_TYPE, "L16 is raw")  # fmt: skip


def _picture_codec(given: dict[str, Any], codec: int, fps: int, still_fps: int) -> tuple[int, int]:
    """Codec and pictures a second: without a codec, more than JPG can do falls back to JPG."""
    if "codec" not in given and fps > still_fps:
        return MediaCodec.JPG, still_fps
    return codec, fps


def _video(given: dict[str, Any]) -> VideoParameters:
    asked = _DEFAULT_VIDEO.from_wire(given)
    codec, fps = _picture_codec(given, asked.codec, asked.fps, _STILL_FPS)
    _require(asked.content_type == ContentType.RAW_VIDEO,
             Status.INVALID_MEDIA_VIDEO_CONTENT_TYPE, "video is raw")  # fmt: skip
    _require(known(MediaCodec, codec) in _CODECS, Status.INVALID_MEDIA_VIDEO_CODEC, "JPG, PNG or H.264")
    _require(known(Resolution, asked.resolution) is not None,
             Status.INVALID_MEDIA_VIDEO_RESOLUTION, "no such resolution")  # fmt: skip
    _require(asked.data_opt in (DataOption.VIDEO_SINGLE_ACTIVE_STREAM, DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM),
             Status.INVALID_MEDIA_VIDEO_DATA_OPT, "the active speaker or one that is chosen")  # fmt: skip
    is_still = codec != MediaCodec.H264
    _require(0 < fps <= (_STILL_FPS if is_still else _MAX_FPS), Status.INVALID_MEDIA_VIDEO_FPS, "not with this codec")
    _require(is_still or fps > _STILL_FPS, Status.INVALID_MEDIA_VIDEO_CODEC, "H.264 is for more than 5 a second")
    return replace(asked, codec=codec, fps=fps, resolution=Resolution.HD)


def _share(given: dict[str, Any]) -> ShareParameters:
    """Documents disagree on where JPG ends, at 1 or at 5 pictures a second: in between, both codecs are accepted."""
    asked = _DEFAULT_SHARE.from_wire(given)
    codec, fps = _picture_codec(given, asked.codec, asked.fps, 1)
    _require(asked.content_type == ContentType.RAW_VIDEO,
             Status.INVALID_MEDIA_DESKSHARE_CONTENT_TYPE, "sharing is raw")  # fmt: skip
    _require(known(MediaCodec, codec) in _CODECS, Status.INVALID_MEDIA_DESKSHARE_CODEC, "JPG, PNG or H.264")
    _require(known(Resolution, asked.resolution) is not None,
             Status.INVALID_MEDIA_DESKSHARE_RESOLUTION, "no such resolution")  # fmt: skip
    is_still = codec != MediaCodec.H264
    most = _STILL_FPS if is_still else _MAX_FPS
    _require(0 < fps <= most, Status.INVALID_MEDIA_DESKSHARE_FPS, "not with this codec")
    _require(is_still or fps > 1, Status.INVALID_MEDIA_DESKSHARE_CODEC, "H.264 is for more than 1 a second")
    return replace(asked, codec=codec, fps=fps, resolution=Resolution.HD)


def _captions(given: dict[str, Any]) -> CaptionParameters:
    asked = CaptionParameters().from_wire(given)
    _require(asked.content_type == ContentType.TEXT, Status.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE, "text")
    _require(asked.src_language in _LANGUAGES,
             Status.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE, "no such language")  # fmt: skip
    is_switch = isinstance(given.get("enable_lid", True), bool)
    _require(is_switch, Status.INVALID_MEDIA_TRANSCRIPT_PARAMS, "enable_lid is true or false")
    return asked


def _chat(given: dict[str, Any]) -> ChatParameters:
    asked = ChatParameters().from_wire(given)
    _require(asked.content_type == ContentType.TEXT, Status.INVALID_MEDIA_CHAT_CONTENT_TYPE, "text")
    return asked
