"""A simulated meeting as pure data: who was there, what was said and shown, and every message with its time.

No sockets and no clock: `frames` can be fed to anything, as fast as it likes. The same seed, length and start give the
same messages. The server plays a meeting's frames when they are due.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from connectors.rtms.protocol.codes import Medium, StopReason
from connectors.rtms.protocol.parameters import MediaParameters
from connectors.rtms.simulator import events, film, sound, texts, writer
from connectors.rtms.simulator.film import Film, FilmFormat, Progress
from connectors.rtms.simulator.frames import AnyFrame, AudioFrame, PictureFrame
from connectors.rtms.simulator.request import DEFAULT_SECONDS, MeetingRequest
from connectors.rtms.simulator.script import Script
from connectors.rtms.simulator.settings import SimulatorSettings
from connectors.rtms.simulator.sound import AudioFormat

START_MS = 1_700_000_000_000
"""When a meeting starts if nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Formats:
    """What was negotiated for the media that have a choice."""

    audio: AudioFormat = AudioFormat()
    video: FilmFormat = film.CAMERA_H264
    share: FilmFormat = film.SHARE_H264


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody's stay in the meeting, in Unix milliseconds."""

    user_id: int
    name: str
    joined_ms: int
    left_ms: int
    is_beacon: bool


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody really said, in Unix milliseconds; `alone` when nobody else spoke meanwhile."""

    user_id: int
    name: str
    start_ms: int
    end_ms: int
    text: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """A script set to a time. Build it with `build`."""

    script: Script
    start_ms: int
    cache: Path = field(repr=False)

    @classmethod
    def build(
        cls, seed: int = 1, seconds: int = DEFAULT_SECONDS, start_ms: int = START_MS, cache: Path | None = None
    ) -> "Meeting":
        """The meeting of that seed, length and start; pictures are kept in `cache`. ValueError below 10 seconds."""
        return cls(writer.write(seed, seconds), start_ms, cache or SimulatorSettings().cache)

    @classmethod
    def of(cls, request: MeetingRequest, cache: Path | None = None) -> "Meeting":
        """The meeting that was asked for, not yet set to a time; ValueError when it is too short to be written."""
        if request.script is None:
            return cls.build(request.seed, request.seconds, cache=cache)
        return cls(request.script, START_MS, cache or SimulatorSettings().cache)

    @property
    def end_ms(self) -> int:
        """When it is over, in Unix milliseconds."""
        return self.start_ms + self.script.length_ms

    @property
    def participants(self) -> tuple[Participant, ...]:
        """Everybody who was there, in the order of joining."""
        beacon = self.script.cast.beacon
        return tuple(
            Participant(
                user_id=span.user_id,
                name=self._name(span.user_id),
                joined_ms=self.start_ms + span.start_ms,
                left_ms=self.start_ms + span.end_ms,
                is_beacon=beacon is not None and span.user_id == beacon.user_id,
            )
            for span in self.script.presences
        )

    @property
    def turns(self) -> tuple[Utterance, ...]:
        """What was said, in the order of starting: the truth for transcripts."""
        return tuple(
            Utterance(
                user_id=turn.user_id,
                name=self._name(turn.user_id),
                start_ms=self.start_ms + turn.start_ms,
                end_ms=self.start_ms + turn.end_ms,
                text=turn.text,
                alone=self.script.is_alone(turn),
            )
            for turn in self.script.turns
        )

    @property
    def beeps(self) -> tuple[int, ...]:
        """The timestamps of the beeps' first samples."""
        return tuple(self.start_ms + beat for beat in self.script.beats)

    @property
    def flashes(self) -> tuple[int, ...]:
        """The timestamps of the first white pictures: the beeps at which a camera is seen."""
        pictured = self.script.pictured()
        return tuple(self.start_ms + beat for beat in self.script.beats if any(span.holds(beat) for span in pictured))

    @property
    def is_recorded(self) -> bool:
        """Whether these are messages of a capture; see `recording`."""
        return False

    @property
    def stop_reason(self) -> StopReason:
        """Why it ends when nobody stops it."""
        return StopReason.MEETING_ENDED

    def agree(self, negotiated: MediaParameters) -> MediaParameters:
        """What becomes of a negotiation's result: a written meeting can be had in any form."""
        return negotiated

    def prepare(
        self, formats: Formats | None = None, progress: Progress | None = None, *, mid_group: bool = False
    ) -> None:
        """Make the pictures now that `of_medium` needs later: some seconds a minute of meeting, once."""
        formats = formats or Formats()
        everybody = replace(formats.video, subject=film.Subject.CAMERAS)
        for wanted in (everybody if mid_group else formats.video), formats.share:
            self._film(wanted, progress)

    def frames(self, formats: Formats | None = None) -> Iterator[AnyFrame]:
        """Every message of the meeting, sorted by when it is due."""
        return heapq.merge(*(self.of_medium(medium, formats) for medium in Medium), key=lambda frame: frame.due_ms)

    def of_medium(
        self, medium: Medium, formats: Formats | None = None, *, mid_group: bool = False
    ) -> Iterator[AnyFrame]:
        """The messages of one medium, sorted by when they are due.

        `mid_group`: the active speaker's pictures are cut out of everybody's, wherever their key frames are.
        """
        formats = formats or Formats()
        sources: dict[Medium, Callable[[], Iterator[AnyFrame]]] = {
            Medium.AUDIO: lambda: self._audio(formats.audio),
            Medium.VIDEO: lambda: self._cut_out(formats.video) if mid_group else self._video(formats.video),
            Medium.SHARE: lambda: self._pictures(Medium.SHARE, formats.share),
            Medium.CAPTIONS: lambda: texts.captions(self.script, self.start_ms),
            Medium.CHAT: lambda: texts.chat(self.script, self.start_ms),
            Medium.EVENTS: lambda: events.happenings(self.script, self.start_ms),
        }
        return sources[medium]()

    def _audio(self, wanted: AudioFormat) -> Iterator[AudioFrame]:
        for chunk in sound.chunks(self.script, wanted):
            timestamp_ms = self.start_ms + chunk.start_ms
            yield AudioFrame(
                medium=Medium.AUDIO,
                due_ms=timestamp_ms + wanted.send_rate_ms,
                timestamp_ms=timestamp_ms,
                user_id=chunk.user_id,
                user_name=self._name(chunk.user_id) if chunk.user_id else None,
                payload=chunk.payload,
            )

    def _pictures(self, medium: Medium, wanted: FilmFormat) -> Iterator[PictureFrame]:
        for encoded in self._film(wanted, None):
            timestamp_ms = self.start_ms + encoded.at_ms + self._jitter_ms(encoded.at_ms)
            yield PictureFrame(
                medium=medium,
                due_ms=timestamp_ms,
                timestamp_ms=timestamp_ms,
                user_id=encoded.user_id,
                user_name=self._name(encoded.user_id),
                key_frame=encoded.key_frame,
                payload=encoded.payload,
            )

    def _video(self, wanted: FilmFormat) -> Iterator[PictureFrame]:
        return self._pictures(Medium.VIDEO, wanted)

    def _cut_out(self, wanted: FilmFormat) -> Iterator[PictureFrame]:
        """The active speaker's pictures out of everybody's."""
        everybody = replace(wanted, subject=film.Subject.CAMERAS)
        speakers = self.script.speakers
        for frame in self._pictures(Medium.VIDEO, everybody):
            at_ms = frame.timestamp_ms - self.start_ms
            if any(span.user_id == frame.user_id and span.holds(at_ms) for span in speakers):
                yield frame

    def _film(self, wanted: FilmFormat, progress: Progress | None) -> Film:
        return film.open_film(self.script, wanted, self.cache, progress)

    def _jitter_ms(self, at_ms: int) -> int:
        """Cameras are not metronomes: up to a millisecond off, but never at a flash."""
        if at_ms % writer.BEAT_MS == 0:
            return 0
        return hashlib.blake2b(f"{self.script.seed}:{at_ms}".encode(), digest_size=1).digest()[0] % 3 - 1

    def _name(self, user_id: int) -> str:
        return self.script.cast.named(user_id).name
