"""Audio as it comes from Zoom to what a recogniser eats: 16 kHz mono samples.

Everything here is a function of its arguments, so that the same payload always gives the same samples.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from processors import alaw
from schemas.records import Codec

Samples = npt.NDArray[np.int16]

RECOGNISER_RATE_HZ = 16_000

_RATES_HZ = frozenset({8_000, 16_000, 32_000, 48_000})
_CHANNELS = frozenset({1, 2})
_UNKNOWN_BYTES_PER_MS = 1024
_HALF_TAPS_PER_STEP = 16
_LITTLE_ENDIAN = np.dtype("<i2")


@dataclass(frozen=True, slots=True)
class AudioFormat:
    codec: Codec
    sample_rate_hz: int
    channels: int

    @property
    def is_supported(self) -> bool:
        match self.codec:
            case Codec.L16:
                return self.sample_rate_hz in _RATES_HZ and self.channels in _CHANNELS
            case Codec.G711:
                return self.sample_rate_hz == alaw.RATE_HZ and self.channels == 1
            case _:
                return False

    def bytes_in(self, ms: int) -> int:
        """How large a chunk of that length is, whatever its format where that is none of ours."""
        if not self.is_supported:
            return _UNKNOWN_BYTES_PER_MS * ms
        sample_bytes = 1 if self.codec is Codec.G711 else 2
        return self.sample_rate_hz * self.channels * sample_bytes * ms // 1000

    def __str__(self) -> str:
        return f"{self.codec} {self.sample_rate_hz} Hz x {self.channels}"


def mono(audio: AudioFormat, payload: bytes) -> Samples:
    """The payload of a supported format as mono samples at its own rate. A cut-off last sample is left out."""
    if audio.codec is Codec.G711:
        return alaw.decoded(payload)
    frame_bytes = 2 * audio.channels
    frames: Samples = np.frombuffer(payload, dtype=_LITTLE_ENDIAN, count=len(payload) // frame_bytes * audio.channels)
    if audio.channels == 1:
        return frames
    pairs = frames.reshape(-1, audio.channels).astype(np.int32)
    means: Samples = (pairs.sum(axis=1) // audio.channels).astype(np.int16)
    return means


def resampled(samples: Samples, rate_hz: int) -> Samples:
    """`samples` at `RECOGNISER_RATE_HZ`: a windowed-sinc low pass, zero-phase, so that no time is shifted."""
    if rate_hz == RECOGNISER_RATE_HZ or not len(samples):
        return samples
    common = np.gcd(rate_hz, RECOGNISER_RATE_HZ)
    up, down = int(RECOGNISER_RATE_HZ // common), int(rate_hz // common)
    stuffed = np.zeros(len(samples) * up, dtype=np.float64)
    stuffed[::up] = samples
    taps = _low_pass(max(up, down)) * up
    half = len(taps) // 2
    smooth = np.convolve(stuffed, taps)[half : half + len(stuffed) : down]
    return np.clip(np.rint(smooth), -32768, 32767).astype(np.int16)


@cache
def _low_pass(step: int) -> npt.NDArray[np.float64]:
    """A Hann-windowed sinc that keeps the lower 1/step of the band."""
    half = _HALF_TAPS_PER_STEP * step
    places = np.arange(-half, half + 1)
    taps = np.sinc(places / step) * (0.5 + 0.5 * np.cos(np.pi * places / (half + 1)))
    return np.asarray(taps / taps.sum(), dtype=np.float64)
