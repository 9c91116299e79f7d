"""What is known of a session's recording when one stretch of it is finished and the next is not: a JSON value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from processors.checkpoint.folds import known_fields
from processors.muxing import audio
from processors.muxing.chains import Chain
from processors.muxing.h264 import Size
from processors.muxing.mixing import Ends
from processors.muxing.tracks import Tracks
from processors.sound import opus
from schemas import settings as session_settings
from schemas.settings import AudioCodec, RecordingFormat, RecordingView, SessionSettings
from schemas.topics import AUDIO, SHARE

DEFAULT_RATE_HZ = 16_000
MIN_GRID_MS, MAX_GRID_MS = 1000, 10_000
"""What is read of a slot is in memory until the slot is over."""

MIN_SIDE, MAX_SIDE = 16, 4096
_DEFAULTS = SessionSettings()


class Frame(NamedTuple):
    """What the session's settings say about its recording, from a topic's `begin` record; a tuple, because every
    record's is read."""

    grid_ms: int
    rate_hz: int
    width: int
    height: int
    is_wanted: bool = True
    shows_share: bool = True
    has_pictures: bool = True
    participant_audio: bool = False
    share_track: bool = False

    @classmethod
    def of(cls, settings: SessionSettings) -> Self:
        rate_hz = opus.RATE_HZ if settings.audio_codec is AudioCodec.OPUS else settings.audio_sample_rate_hz
        is_size = all(MIN_SIDE <= side <= MAX_SIDE for side in (settings.video_width, settings.video_height))
        sized = settings if is_size else _DEFAULTS
        return cls(
            grid_ms=min(max(settings.grid_ms, MIN_GRID_MS), MAX_GRID_MS),
            rate_hz=rate_hz if audio.is_rate(rate_hz) else DEFAULT_RATE_HZ,
            width=sized.video_width,
            height=sized.video_height,
            is_wanted=settings.recording_format is not RecordingFormat.NONE,
            has_pictures=settings.recording_format is not RecordingFormat.MP3,
            shows_share=settings.recording_view is not RecordingView.GALLERY and not settings.is_composed,
            participant_audio=settings.participant_audio and not settings.mixed_audio,
            share_track=settings.share_track or settings.is_composed,
        )

    @classmethod
    def from_begin(cls, settings: str) -> Self:
        """The frame in a `begin`; what cannot be read of it stands for the defaults."""
        return cls.of(session_settings.readable(settings))

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Self:
        return cls(**known_fields(cls._fields, value)) if value else cls.of(_DEFAULTS)

    def to_json(self) -> dict[str, Any]:
        return self._asdict()

    def takes(self, topic: str) -> bool:
        """Whether the frames of a topic are recorded."""
        if topic == AUDIO.name:
            return self.is_wanted
        return self.is_wanted and self.has_pictures and (topic != SHARE.name or self.shows_share or self.share_track)

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Recording:
    """`origin_ms` is where its time begins, `count` how many segments it has so far.

    `chain` and `share` (of cameras and of shared screens) are as of the end of the last stretch, `ends` as of
    `audio_from_ms`: the next stretch places every chunk from there on again, for its encoder's lead-in. `tracks` is
    what there is beside the recording itself.
    """

    frame: Frame
    origin_ms: int
    count: int = 0
    chain: Chain = Chain()
    share: Chain = Chain()
    ends: Ends = field(default_factory=dict)
    audio_from_ms: int = 0
    tracks: Tracks = Tracks()

    @property
    def dropped(self) -> int:
        return self.chain.dropped + self.share.dropped

    def to_json(self) -> dict[str, Any]:
        """Of tracks nothing where there are none, as in most sessions."""
        beside = {} if self.tracks == Tracks() else {"tracks": self.tracks.to_json()}
        return {
            "frame": self.frame.to_json(),
            "origin_ms": self.origin_ms,
            "count": self.count,
            "chain": self.chain.to_json(),
            "share": self.share.to_json(),
            "ends": dict(self.ends),
            "audio_from_ms": self.audio_from_ms,
        } | beside

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            frame=Frame.from_json(value["frame"]),
            origin_ms=value["origin_ms"],
            count=value["count"],
            chain=Chain.from_json(value["chain"]),
            share=Chain.from_json(value["share"]) if "share" in value else Chain(),
            ends=value["ends"],
            audio_from_ms=value["audio_from_ms"],
            tracks=Tracks.from_json(value["tracks"]) if "tracks" in value else Tracks(),
        )
