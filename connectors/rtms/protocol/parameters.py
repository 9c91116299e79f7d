"""What is asked of Zoom for each medium (message 3) and what it agreed to (message 4), in the same values.

Ask explicitly, then use what comes back: `from_wire` reads an answer on top of what was asked, so a field that Zoom
leaves out or garbles keeps the asked value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from connectors.rtms.protocol.codes import (
    HZ_OF,
    MEDIA_TYPE_OF,
    ContentType,
    DataOption,
    MediaCodec,
    MediaType,
    Medium,
    Resolution,
    SampleRate,
    known,
)
from connectors.rtms.protocol.fields import code, mapping

WIRE_KEYS = {
    Medium.AUDIO: "audio",
    Medium.VIDEO: "video",
    Medium.SHARE: "deskshare",
    Medium.CAPTIONS: "transcript",
    Medium.CHAT: "chat",
}
"""The names of the media in `media_params` and in `server_urls`."""


class _Parameters:
    """Wire form of a parameter class: its fields are Zoom's keys, all of them numbers or booleans."""

    __slots__ = ()

    def to_wire(self) -> dict[str, Any]:
        """This medium's object in `media_params`."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return {name: value if isinstance(value, bool) else int(value) for name, value in values}

    def from_wire(self, answer: Mapping[str, Any]) -> Self:
        """These values with what `answer` states in their place."""
        changes: dict[str, Any] = {}
        for field in fields(self):  # type: ignore[arg-type]
            value = answer.get(field.name)
            if isinstance(getattr(self, field.name), bool):
                if isinstance(value, bool):
                    changes[field.name] = value
            elif (number := code(value)) is not None:
                changes[field.name] = number
        return replace(self, **changes)  # type: ignore[type-var]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioParameters(_Parameters):
    """Separate streams of L16 at 16 kHz in chunks of 100 ms unless said otherwise; `send_rate` is in milliseconds."""

    content_type: int = ContentType.RAW_AUDIO
    sample_rate: int = SampleRate.SR_16K
    channel: int = 1
    codec: int = MediaCodec.L16
    data_opt: int = DataOption.AUDIO_MULTI_STREAMS
    send_rate: int = 100

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second; 0 for a rate nobody has named yet."""
        rate = known(SampleRate, self.sample_rate)
        return 0 if rate is None else HZ_OF[rate]

    def as_allowed(self) -> "AudioParameters":
        """With the one rate and interval that Zoom has for an encoded codec; only Opus knows stereo."""
        rate = _ENCODED_RATES.get(self.codec)
        if rate is None:
            return self
        channel = self.channel if self.codec == MediaCodec.OPUS else 1
        return replace(self, sample_rate=rate, channel=channel, send_rate=_ENCODED_SEND_RATE_MS)


_ENCODED_RATES: dict[int, SampleRate] = {
    MediaCodec.G711: SampleRate.SR_8K,
    MediaCodec.G722: SampleRate.SR_16K,
    MediaCodec.OPUS: SampleRate.SR_48K,
}
_ENCODED_SEND_RATE_MS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoParameters(_Parameters):
    """The active speaker as H.264, 720p at 25 pictures a second unless said otherwise."""

    content_type: int = ContentType.RAW_VIDEO
    codec: int = MediaCodec.H264
    resolution: int = Resolution.HD
    data_opt: int = DataOption.VIDEO_SINGLE_ACTIVE_STREAM
    fps: int = 25

    def as_allowed(self) -> "VideoParameters":
        """With as many pictures a second as Zoom has for the codec."""
        return replace(self, fps=_allowed_fps(self.codec, self.fps, stills=5))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareParameters(_Parameters):
    content_type: int = ContentType.RAW_VIDEO
    codec: int = MediaCodec.H264
    resolution: int = Resolution.FHD
    fps: int = 5

    def as_allowed(self) -> "ShareParameters":
        """As for video; documents disagree on where stills end, at 1 or 5 a second: 1 is right by both."""
        return replace(self, fps=_allowed_fps(self.codec, self.fps, stills=1))


def _allowed_fps(codec: int, fps: int, stills: int) -> int:
    """JPG and PNG go up to `stills` pictures a second, H.264 begins above that."""
    return max(fps, stills + 1) if codec == MediaCodec.H264 else min(fps, stills)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionParameters(_Parameters):
    """`src_language` is Zoom's language number, 9 is English; with `enable_lid` Zoom identifies it after 30 s."""

    content_type: int = ContentType.TEXT
    src_language: int = 9
    enable_lid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatParameters(_Parameters):
    content_type: int = ContentType.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaParameters:
    """The media of a stream; None = not wanted (in a request) or not given (in an answer)."""

    audio: AudioParameters | None = None
    video: VideoParameters | None = None
    share: ShareParameters | None = None
    captions: CaptionParameters | None = None
    chat: ChatParameters | None = None

    def __iter__(self) -> Iterator[Medium]:
        """The media that are there, in the order of their numbers."""
        return (medium for medium in WIRE_KEYS if getattr(self, medium.value) is not None)

    @property
    def mask(self) -> MediaType:
        """The `media_type` of a handshake for exactly these media."""
        mask = MediaType.UNDEFINED
        for medium in self:
            mask |= MEDIA_TYPE_OF[medium]
        return mask

    def only(self, media: frozenset[Medium]) -> "MediaParameters":
        """These parameters without the media that are not in `media`."""
        return replace(self, **{medium.value: None for medium in WIRE_KEYS if medium not in media})

    def merged(self, other: "MediaParameters") -> "MediaParameters":
        """These parameters, with every medium that `other` has taken from it."""
        return replace(self, **{medium.value: getattr(other, medium.value) for medium in other})

    def to_wire(self) -> dict[str, dict[str, Any]]:
        """The `media_params` of messages 3 and 4."""
        return {WIRE_KEYS[medium]: getattr(self, medium.value).to_wire() for medium in self}

    def from_wire(self, answer: Any) -> "MediaParameters":
        """What `answer` (message 4's `media_params`) makes of these asked values."""
        given = mapping(answer)
        return replace(
            self,
            **{
                medium.value: getattr(self, medium.value).from_wire(mapping(given.get(WIRE_KEYS[medium])))
                for medium in self
            },
        )


EVERYTHING = MediaParameters(
    audio=AudioParameters(),
    video=VideoParameters(),
    share=ShareParameters(),
    captions=CaptionParameters(),
    chat=ChatParameters(),
)
"""Every medium with its usual values; what the app's scopes do not cover, Zoom does not offer."""
