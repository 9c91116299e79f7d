"""Audio as it comes from Zoom to what a recogniser eats: 16 kHz mono samples.

Everything here is a function of its arguments, so that the same payload always gives the same samples.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from processors.sound.decoding import Samples
from processors.sound.formats import AudioFormat

RECOGNISER_RATE_HZ = 16_000

_RATES_HZ = frozenset({8_000, 16_000, 32_000, 48_000})
_CHANNELS = frozenset({1, 2})
_UNKNOWN_BYTES_PER_MS = 1024
_HALF_TAPS_PER_STEP = 16


def is_supported(audio: AudioFormat) -> bool:
    """Whether a voice in it can be found and recognised."""
    return audio.is_known and audio.sample_rate_hz in _RATES_HZ and audio.channels in _CHANNELS


def is_longer(audio: AudioFormat, payload: bytes, ms: int) -> bool:
    """Whether a chunk is longer than that; of no format of ours, whether it is as large as if it were."""
    if not is_supported(audio):
        return len(payload) > _UNKNOWN_BYTES_PER_MS * ms
    return audio.duration_ms(payload) > ms


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
