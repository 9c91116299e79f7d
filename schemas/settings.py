"""What a session is to do, frozen when it is requested and carried in its state and in every `begin` record.

Readers of a `begin` decide by these values alone, so a change of defaults never changes a running or replayed session.
"""

import contextlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from schemas import embedded_json


class Engine(StrEnum):
    """Who writes the transcript; in order of precedence for readers that want one, and for who is asked for words."""

    DEEPGRAM = "deepgram"
    OPENAI = "openai"
    CUSTOM_ASYNC = "custom_async"
    MOONSHINE = "moonshine"
    ZOOM = "zoom"


_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
"""Of a language. What stands for several, like `multi`, is none."""

MERGES = "merge_consecutive_captions"
"""An option of Zoom's captions."""

PARTIAL_ENGINES = frozenset({Engine.DEEPGRAM, Engine.MOONSHINE})
"""Who can tell what is being said while it is."""


class RecordingFormat(StrEnum):
    """`mp3` is sound alone, `none` no recording."""

    MP4 = "mp4"
    MP3 = "mp3"
    NONE = "none"


class RecordingView(StrEnum):
    """What a recording shows while a screen is shared: in the gallery the faces, in the speaker's views the screen
    instead of them, in the composed ones both: beside each other, or the speaker in the corner of the screen."""

    SPEAKER = "speaker_view"
    GALLERY = "gallery_view"
    SPEAKER_WITHOUT_SIDEBAR = "speaker_view_no_sidebar"
    SIDE_BY_SIDE = "side_by_side_view"
    SHARED_SCREEN_WITH_SPEAKER = "shared_screen_with_speaker_view"


COMPOSED = frozenset({RecordingView.SIDE_BY_SIDE, RecordingView.SHARED_SCREEN_WITH_SPEAKER})
"""The views that somebody has to draw: once the session is over, of what it has recorded."""


class AudioCodec(StrEnum):
    L16 = "l16"
    G711 = "g711"
    G722 = "g722"
    OPUS = "opus"


class PictureCodec(StrEnum):
    H264 = "h264"
    JPG = "jpg"
    PNG = "png"


class VideoView(StrEnum):
    """Whose video: always the active speaker's, or one participant's as long as that camera is on."""

    ACTIVE_SPEAKER = "active_speaker"
    INDIVIDUAL = "individual"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """`language` is what the local recogniser is to hear, `engine_options` what the session wants of engines: JSON,
    an object of an object per engine. `grid_ms` is the recording's segment grid; the audio, video, share and caption
    values are what is asked of Zoom.

    `mixed_audio`: one stream of everybody instead of one for each. `caption_language` is the tag of the language that
    Zoom's captions begin in; with `identify_language` they follow the speaker. `split_sockets`: a connection per
    medium; None leaves it to the worker. `buffered_audio`: whether what was said before we were connected is wanted.
    `speech_events`: whether participant events tell who starts and stops to speak. `retention_hours`: how long after
    the session's end its data is deleted; None: not by itself. `participant_audio` and `share_track`: which tracks the
    recording has beside itself (`schemas.tracks`); of mixed audio nobody's. `copy_bucket` is the customer's own bucket
    that the finished recording is copied to, as `copy_name` or, where that is None, under the session's id.
    """

    engines: tuple[Engine, ...] = (Engine.ZOOM,)
    language: str = "en"
    engine_options: str = "{}"
    recording_format: RecordingFormat = RecordingFormat.MP4
    recording_view: RecordingView = RecordingView.SPEAKER
    grid_ms: int = 4000
    audio_sample_rate_hz: int = 16000
    audio_send_rate_ms: int = 100
    video_width: int = 1280
    video_height: int = 720
    video_fps: int = 25
    audio_codec: AudioCodec = AudioCodec.L16
    audio_channels: int = 1
    mixed_audio: bool = False
    video_codec: PictureCodec = PictureCodec.H264
    video_view: VideoView = VideoView.ACTIVE_SPEAKER
    share_codec: PictureCodec = PictureCodec.H264
    share_height: int = 1080
    share_fps: int = 5
    caption_language: str = "en"
    identify_language: bool = True
    split_sockets: bool | None = None
    buffered_audio: bool = True
    speech_events: bool = False
    retention_hours: int | None = None
    participant_audio: bool = False
    share_track: bool = False
    copy_bucket: str | None = None
    copy_name: str | None = None

    @property
    def recognisers(self) -> tuple[Engine, ...]:
        """Who is asked what is said in the sound, in this order: the next one where the one before cannot tell."""
        return tuple(engine for engine in Engine if engine in self.engines and engine is not Engine.ZOOM)

    @property
    def partials(self) -> bool:
        """Whether what is being said is told while it is, as the first who is asked understands it."""
        first = next(iter(self.recognisers), None)
        return first in PARTIAL_ENGINES and self._options_of(first).get("partials") is True

    @property
    def spoken_language(self) -> str | None:
        """The tag of the language of the transcript that answers first; None where that may change, or nobody says."""
        match self.primary_engine:
            case Engine.MOONSHINE:
                named: object = self.language
            case Engine.ZOOM:
                named = None if self.identify_language else self.caption_language
            case engine:
                named = self._options_of(engine).get("language")
        return named if isinstance(named, str) and _TAG.fullmatch(named) else None

    @property
    def merges_captions(self) -> bool:
        """Whether Zoom's captions of a speaker who goes on are one utterance."""
        return self._options_of(Engine.ZOOM).get(MERGES) is True

    def _options_of(self, engine: Engine | None) -> dict[str, Any]:
        """What is wanted of one engine; nothing where nothing is said that can be read."""
        options = embedded_json.read(self.engine_options)
        section = options.get(engine) if isinstance(options, dict) else None
        return section if isinstance(section, dict) else {}

    @property
    def is_composed(self) -> bool:
        """Whether the recording is to be drawn of its pictures and a film of the shared screens."""
        return self.recording_view in COMPOSED and self.recording_format is RecordingFormat.MP4

    @property
    def keeps_voices(self) -> bool:
        """Whether each participant's sound is stored: of mixed sound, or where nothing is recorded, none is."""
        is_recorded = self.recording_format is not RecordingFormat.NONE
        return self.participant_audio and is_recorded and not self.mixed_audio

    @property
    def transcripts(self) -> tuple[Engine, ...]:
        """What there is to read: the recognisers' common transcript, by the name of the first, and Zoom's captions."""
        return *self.recognisers[:1], *((Engine.ZOOM,) if Engine.ZOOM in self.engines else ())

    @property
    def primary_engine(self) -> Engine:
        """The engine whose transcript answers when the reader does not say which; Zoom's where there is none at all."""
        return next((engine for engine in Engine if engine in self.engines), Engine.ZOOM)


_settings = msgspec.json.Decoder(SessionSettings)


def dumps(settings: SessionSettings) -> str:
    """Canonical JSON: keys in order of the class, every field present."""
    return msgspec.json.encode(settings).decode()


def loads(text: str) -> SessionSettings:
    """The settings in `text`; keys and engines that this release does not know are ignored, what is missing is default.

    Raises:
        ValueError: `text` is no settings document.
    """
    try:
        return _decoded(text)
    except RecursionError as error:
        raise ValueError("settings nested too deeply") from error


def _decoded(text: str) -> SessionSettings:
    try:
        return _settings.decode(text)
    except msgspec.ValidationError:
        return msgspec.convert(_with_known_engines(msgspec.json.decode(text)), SessionSettings)


def readable(text: str) -> SessionSettings:
    """`loads` for those who must go on whatever it says: a value that is none of its field's is the field's default.

    So a newer release's word for one thing changes nothing of all others.
    """
    try:
        return loads(text)
    except ValueError:
        return _legible(text)


def _legible(text: str) -> SessionSettings:
    try:
        given = _with_known_engines(msgspec.json.decode(text))
    except (ValueError, RecursionError):
        return SessionSettings()
    known: dict[str, Any] = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        with contextlib.suppress(ValueError):
            known |= {name: getattr(msgspec.convert({name: value}, SessionSettings), name, None)}
    return SessionSettings(**{name: known[name] for name in known.keys() & SessionSettings.__dataclass_fields__})


def _with_known_engines(document: Any) -> Any:
    engines = document.get("engines") if isinstance(document, dict) else None
    if not isinstance(engines, list):
        return document
    known = [engine for engine in engines if isinstance(engine, str) and engine in _ENGINES]
    return document | {"engines": known or [Engine.ZOOM]}


_ENGINES = frozenset(map(str, Engine))
