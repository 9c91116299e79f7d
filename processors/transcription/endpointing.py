"""Where an utterance begins and ends in one track: voice activity in 20 ms steps.

One `Endpointer` hears from one boundary to the next and is then thrown away, its detector with it: what it decides
depends on nothing but the chunks since it began. It begins a little before the boundary (warm-up), so that the
detector knows the room before its word counts.
"""

from dataclasses import dataclass

import numpy as np
import webrtcvad

from processors.sound.decoding import Samples, decoder
from processors.sound.formats import AudioFormat
from processors.transcription.pcm import is_supported
from processors.transcription.timeline import TOLERANCE_MS, Timeline, level

FRAME_MS = 20
HANG_OVER_MS = 480
"""A pause this long ends an utterance. Shorter ones cut sentences apart, which costs words at the seams."""

PRE_ROLL_MS = 100
POST_ROLL_MS = 100
CAP_MS = 14_000
"""An utterance is never longer; it is then cut where it is quietest in its last `CAP_SEARCH_MS`."""

CAP_SEARCH_MS = 4_000
QUIET_MS = 2_000
"""Without a voice for this long, what was heard is let go."""

WARM_UP_MS = 500
LEAST_VOICE_MS = 80
"""Less voice than this is a click."""

FLOOR = 60.0
"""About -55 dBFS: below it the detector takes the noise of a room for speech."""

_AGGRESSIVENESS = 2
_SMOOTHING_FRAMES = 5
_UNHEARD: Samples = np.full(FRAME_MS, 32767, dtype=np.int16)
"""Stands for a chunk whose format cannot be heard, at 1000 samples a second."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A stretch of the track is over: everything before `through_ms` is decided.

    `speech` is the utterance in it, if there is one. The next stretch needs to hear from `keep_from_ms` on.
    """

    through_ms: int
    keep_from_ms: int
    speech: "Speech | None"


@dataclass(frozen=True, slots=True)
class Speech:
    """An utterance. `pcm` is its mono samples with a little of the pauses around; None where no format of ours.

    `heard_ms` is how much was heard from its start on until this was known of it, a pause that ended it included.
    """

    start_ms: int
    end_ms: int
    audio: AudioFormat
    pcm: bytes | None
    heard_ms: int


class Endpointer:
    """Hears chunks of one format in order of time until it finds a boundary behind `through_ms`."""

    def __init__(self, audio: AudioFormat, start_ms: int, through_ms: int) -> None:
        self._audio = audio
        self._decoder = decoder(audio) if is_supported(audio) else None
        self._rate_hz = audio.sample_rate_hz if self._decoder else 1000
        self._timeline = Timeline(start_ms, self._rate_hz)
        self._through_ms = through_ms
        self._begin_ms = max(start_ms, through_ms)
        self._vad = webrtcvad.Vad(_AGGRESSIVENESS) if self._decoder else None
        self._first_ms: int | None = None
        self._last_ms = 0
        self._now_ms = self._begin_ms
        self._voice_ms = 0
        self._levels: list[float] = []

    @property
    def due_ms(self) -> int:
        """Silence up to here would be a boundary, and no shorter one."""
        if self._first_ms is None:
            due_ms = self._begin_ms + QUIET_MS
        else:
            due_ms = min(self._last_ms + HANG_OVER_MS, self._start_ms + CAP_MS)
        return due_ms + (self._timeline.start_ms - due_ms) % FRAME_MS

    @property
    def voiced_ms(self) -> int:
        """From the start of the utterance that is open to its last voice so far; 0 while there is none."""
        return 0 if self._first_ms is None else self._last_ms - self._start_ms

    @property
    def paused_ms(self) -> int:
        """Since the last voice of the utterance that is open; 0 while there is none."""
        return 0 if self._first_ms is None else self._now_ms - self._last_ms

    def so_far(self) -> Speech | None:
        """The utterance that is open, as far as it was heard. Looking changes nothing."""
        return None if self._vad is None else self._speech(self._last_ms, self._now_ms)

    def hear(self, timestamp_ms: int, payload: bytes) -> Boundary | None:
        """The next chunk."""
        if found := self.pause(timestamp_ms - TOLERANCE_MS):
            return found
        self._timeline.place(timestamp_ms, self._samples(payload))
        return self._read()

    @property
    def is_open(self) -> bool:
        """Whether somebody has begun to speak."""
        return self._first_ms is not None

    def pause(self, until_ms: int) -> Boundary | None:
        """Nothing sounds before `until_ms` but what was heard."""
        self._timeline.silent_to(min(until_ms, self.due_ms))
        return self._read()

    def stop(self, at_ms: int) -> Boundary:
        """A chunk of another format begins at `at_ms`: a boundary by force."""
        return self.pause(at_ms - TOLERANCE_MS) or self._bounded(
            min(at_ms, self._timeline.audio_end_ms), max(at_ms, self._through_ms + 1), keep_from_ms=at_ms
        )

    def has_heard(self, at_ms: int, duration_ms: int) -> bool:
        """Whether what sounds then was heard, as far as stamps can tell."""
        return at_ms + duration_ms <= self._timeline.audio_end_ms + min(TOLERANCE_MS, duration_ms // 2)

    @property
    def _start_ms(self) -> int:
        assert self._first_ms is not None
        return max(self._begin_ms, self._first_ms - PRE_ROLL_MS)

    def _samples(self, payload: bytes) -> Samples:
        return _UNHEARD if self._decoder is None else self._decoder.samples(payload)

    def _read(self) -> Boundary | None:
        for at_ms, frame in self._timeline.frames(FRAME_MS):
            loudness = level(frame)
            has_voice = loudness >= FLOOR and (self._vad is None or self._vad.is_speech(frame, self._rate_hz))
            if at_ms >= self._through_ms and (found := self._step(at_ms, loudness, has_voice)):
                return found
        return None

    def _step(self, at_ms: int, loudness: float, has_voice: bool) -> Boundary | None:
        self._now_ms = now_ms = at_ms + FRAME_MS
        if has_voice:
            self._first_ms = at_ms if self._first_ms is None else self._first_ms
            self._last_ms = now_ms
            self._voice_ms += FRAME_MS
        if self._first_ms is None:
            is_quiet = now_ms - self._begin_ms >= QUIET_MS
            return self._bounded(now_ms, now_ms - PRE_ROLL_MS) if is_quiet else None
        self._levels.append(loudness)
        # Silence that was not heard but told of is nobody's: sound of its time may still come, and then begins anew.
        sounded_ms = min(now_ms, max(self._last_ms, self._timeline.audio_end_ms))
        if now_ms - self._last_ms >= HANG_OVER_MS:
            return self._bounded(self._last_ms, sounded_ms, until_ms=now_ms)
        if now_ms - self._start_ms >= CAP_MS:
            cut_ms = min(self._quietest_ms(), sounded_ms)
            return self._bounded(cut_ms, cut_ms)
        return None

    def _quietest_ms(self) -> int:
        """Where in the last part of the utterance a cut harms least."""
        assert self._first_ms is not None
        skipped = max(0, len(self._levels) - CAP_SEARCH_MS // FRAME_MS)
        smooth = np.convolve(self._levels[skipped:], np.ones(_SMOOTHING_FRAMES), mode="valid")
        middle = skipped + int(np.argmin(smooth)) + _SMOOTHING_FRAMES // 2
        return self._first_ms + middle * FRAME_MS

    def _bounded(
        self, end_ms: int, through_ms: int, *, until_ms: int | None = None, keep_from_ms: int | None = None
    ) -> Boundary:
        """Of the pause after it an utterance has no more than there is before `until_ms`, by default `through_ms`."""
        if keep_from_ms is None:
            keep_from_ms = self._timeline.chunk_at(through_ms - WARM_UP_MS)
        return Boundary(through_ms, keep_from_ms, self._speech(end_ms, through_ms if until_ms is None else until_ms))

    def _speech(self, end_ms: int, until_ms: int) -> Speech | None:
        if self._first_ms is None:
            return None
        heard_ms = self._now_ms - self._start_ms
        if self._vad is None:
            return Speech(self._start_ms, end_ms, self._audio, None, heard_ms)
        if self._voice_ms < LEAST_VOICE_MS:
            return None
        pcm = self._timeline.cut_out(self._start_ms, min(end_ms + POST_ROLL_MS, until_ms))
        return Speech(self._start_ms, end_ms, self._audio, pcm, heard_ms)
