"""One track's chunks of audio on one line of time.

Chunks carry Zoom's time, which jitters, and a muted participant sends nothing at all. A chunk that comes within the
tolerance of where it is expected is laid seamlessly against the one before; a hole is filled with silence; what
overlaps (audio that Zoom sends again after a reconnection) is taken once.
"""

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np

from processors.sound.decoding import Samples

TOLERANCE_MS = 60
"""Below the shortest pause that matters, above the jitter of a clock that ticks in packets."""

_BYTES_PER_SAMPLE = 2


class Timeline:
    """Mono samples from `start_ms` on; audio so far plus the silence that is certain."""

    def __init__(self, start_ms: int, rate_hz: int) -> None:
        self.start_ms = start_ms
        self._per_ms = rate_hz // 1000
        self._pcm = bytearray()
        self._audio_samples = 0
        self._read_samples = 0
        self._placed: list[tuple[int, int]] = []

    @property
    def audio_end_ms(self) -> int:
        """Where the last audio ends, rounded up."""
        return self.start_ms - -self._audio_samples // self._per_ms

    def place(self, timestamp_ms: int, samples: Samples) -> None:
        """Add a chunk; chunks come in order of time."""
        due = max(0, timestamp_ms - self.start_ms) * self._per_ms
        ahead = due - self._audio_samples
        if ahead > TOLERANCE_MS * self._per_ms:
            self._fill(due)
        elif ahead < -TOLERANCE_MS * self._per_ms:
            samples = samples[-ahead:]
        self._placed.append((self.start_ms + self._audio_samples // self._per_ms, timestamp_ms))
        self._pcm += samples.astype("<i2", copy=False).tobytes()
        self._audio_samples += len(samples)

    def silent_to(self, ms: int) -> None:
        """Nothing but silence comes before `ms`; no chunk may follow that belongs before it."""
        if ms > self.audio_end_ms:
            self._fill((ms - self.start_ms) * self._per_ms, is_audio=False)

    def _fill(self, samples: int, *, is_audio: bool = True) -> None:
        missing = samples - len(self._pcm) // _BYTES_PER_SAMPLE
        if missing > 0:
            self._pcm += bytes(missing * _BYTES_PER_SAMPLE)
        if is_audio:
            self._audio_samples = samples

    def frames(self, frame_ms: int) -> Iterator[tuple[int, bytes]]:
        """The complete frames that have not been read yet, each with the time of its first sample."""
        size = frame_ms * self._per_ms
        while (self._read_samples + size) * _BYTES_PER_SAMPLE <= len(self._pcm):
            begin = self._read_samples
            self._read_samples += size
            yield (
                self.start_ms + begin // self._per_ms,
                bytes(self._pcm[begin * _BYTES_PER_SAMPLE : self._read_samples * _BYTES_PER_SAMPLE]),
            )

    def cut_out(self, from_ms: int, to_ms: int) -> bytes:
        """The samples of [from, to) as little endian PCM."""
        per_ms = self._per_ms * _BYTES_PER_SAMPLE
        return bytes(self._pcm[max(0, from_ms - self.start_ms) * per_ms : max(0, to_ms - self.start_ms) * per_ms])

    def chunk_at(self, ms: int) -> int:
        """The timestamp of the chunk that is needed to hear `ms` again; `ms` itself where no audio is."""
        if ms >= self.audio_end_ms:
            return ms
        place = bisect_right(self._placed, ms, key=lambda placed: placed[0])
        return self._placed[max(0, place - 1)][1]


def level(frame: bytes) -> float:
    """Root mean square of a frame of PCM."""
    samples = np.frombuffer(frame, dtype="<i2").astype(np.float32)
    return float(np.sqrt(np.mean(samples * samples))) if len(samples) else 0.0
