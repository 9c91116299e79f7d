"""What a session is to do, frozen when it is requested and carried in its state and in every `begin` record.

Readers of a `begin` decide by these values alone, so a change of defaults never changes a running or replayed session.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Engine(StrEnum):
    """Who writes the transcript; in order of precedence for readers that want one."""

    MOONSHINE = "moonshine"
    ZOOM = "zoom"


class RecordingFormat(StrEnum):
    MP4 = "mp4"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """`grid_ms` is the recording's segment grid; the audio and video values are what is asked of Zoom."""

    engines: tuple[Engine, ...] = (Engine.ZOOM,)
    language: str = "en"
    recording_format: RecordingFormat = RecordingFormat.MP4
    grid_ms: int = 4000
    audio_sample_rate_hz: int = 16000
    audio_send_rate_ms: int = 100
    video_width: int = 1280
    video_height: int = 720
    video_fps: int = 25

    @property
    def primary_engine(self) -> Engine:
        """The engine whose transcript answers when the reader does not say which."""
        return next(engine for engine in Engine if engine in self.engines)


def dumps(settings: SessionSettings) -> str:
    """Canonical JSON: keys in order of the class, every field present."""
    return msgspec.json.encode(settings).decode()


def loads(text: str) -> SessionSettings:
    """The settings in `text`; unknown keys are ignored, missing ones take their default.

    Raises:
        ValueError: `text` is no settings document.
    """
    return msgspec.json.decode(text, type=SessionSettings)
