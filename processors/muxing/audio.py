"""AAC for one stretch of the mix, by an encoder of its own, so that every stretch can be made again by itself.

The frames lie on an absolute grid: frame k is heard at samples [1024 k, 1024 (k + 1)) of the mix's own grid and
belongs to the stretch in which it starts. A fresh encoder is led in with the frames before the stretch, whose packets
are thrown away; then it decides as one that had never stopped would, and the joints cannot be heard (measured against
one continuous encoder: more than 50 dB below the voice; the codec's own noise lies 34 dB below it).
"""

from fractions import Fraction
from functools import lru_cache

import av
import numpy as np

from processors.sound.decoding import Samples

FRAME = 1024
"""Samples in an AAC frame."""

LEAD_IN_FRAMES = 8
LEAD_OUT_FRAMES = 2
"""A frame is coded together with the one after it, in view of one more."""

BITS_PER_SAMPLE = 6
"""96 kbit/s at 16 kHz: above what the encoder ever wants, so that no bit budget is carried from frame to frame."""

# The top sixteenth of the band is left out: bits spent there made the encoder's choices hang on what came before.
_OPTIONS = {"aac_coder": "fast", "aac_pns": "0"}
_BANDWIDTH = 15 / 32
_SPARE_FRAMES = 2
_OBJECT_TYPE_LC = 2
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
MAX_RATE_HZ = 48_000


def is_rate(rate_hz: int) -> bool:
    """Whether AAC and MP4 both know the rate."""
    return rate_hz in _RATES and rate_hz <= MAX_RATE_HZ


def frames_between(start: int, end: int) -> range:
    """The frames that start in samples [start, end)."""
    return range(-(-start // FRAME), -(-end // FRAME))


def samples_for(frames: range) -> tuple[int, int]:
    """First sample and number of samples that coding `frames` takes."""
    first = frames.start - LEAD_IN_FRAMES
    return first * FRAME, (frames.stop + LEAD_OUT_FRAMES - first) * FRAME


def encode(pcm: Samples, frames: range, rate_hz: int) -> list[bytes]:
    """One packet per frame; `pcm` is what `samples_for` says."""
    if not frames:
        return []
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate_hz, "mono", "fltp"
    encoder.bit_rate = BITS_PER_SAMPLE * rate_hz
    encoder.options = _OPTIONS | {"cutoff": str(int(_BANDWIDTH * rate_hz))}
    encoder.time_base = Fraction(1, rate_hz)
    first, _ = samples_for(frames)
    # Zeros push the last packets out; they are not part of any frame that is kept.
    floats = np.concatenate([pcm.astype(np.float32) / 32768, np.zeros(_SPARE_FRAMES * FRAME, np.float32)])
    frame = av.AudioFrame(format="fltp", layout="mono", samples=FRAME)  # one for all: the encoder copies what it keeps
    frame.sample_rate, frame.time_base = rate_hz, encoder.time_base
    (plane,) = frame.planes
    packets: dict[int, bytes] = {}
    data, frame_bytes = floats.tobytes(), FRAME * floats.itemsize
    for number in range(len(data) // frame_bytes):
        plane.update(data[number * frame_bytes : (number + 1) * frame_bytes])
        frame.pts = first + number * FRAME
        packets.update(((packet.pts or 0) // FRAME, bytes(packet)) for packet in encoder.encode(frame))
    return [packets[number] for number in frames]


@lru_cache(maxsize=64)
def silence(frames: int, rate_hz: int) -> tuple[bytes, ...]:
    """What `encode` makes of nothing at all, wherever it lies: a pause of hours costs no more than one of seconds."""
    numbers = range(LEAD_IN_FRAMES, LEAD_IN_FRAMES + frames)
    return tuple(encode(np.zeros(samples_for(numbers)[1], np.int16), numbers, rate_hz))


def decoder_config(rate_hz: int) -> bytes:
    """The AudioSpecificConfig of what `encode` makes: AAC-LC, one channel."""
    return (_OBJECT_TYPE_LC << 11 | _RATES.index(rate_hz) << 7 | 1 << 3).to_bytes(2, "big")
