"""Looks at a finished recording as a player would: decodes all of it and measures whether sound and picture agree.

The simulated meeting flashes white and beeps at the same instants. Where a flash is seen, the beep beside it is found
with a matched filter, which the speech around it hardly moves; the offset is beep minus flash.
"""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SEARCH_MS = 200
"""How far from a flash a beep is looked for."""

_WHITE_LUMA = 190
_BLACK_LUMA = 20
"""Darker than anything that the simulated Zoom draws."""

_MIN_BEEP_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Measured:
    """`offsets_ms` has one entry per flash whose beep was found; positive = sound is late. `black` ones of the
    pictures show nothing."""

    duration_s: float
    pictures: int
    black: int
    audio_s: float
    flashes_s: tuple[float, ...]
    offsets_ms: tuple[float, ...]
    monotonic: bool

    @property
    def worst_offset_ms(self) -> float | None:
        return max((abs(offset) for offset in self.offsets_ms), default=None)


def measure(path: Path, beep_hz: int, beep_ms: int) -> Measured:
    """Decode `path` from its first to its last packet. Raises av.FFmpegError where a packet does not decode."""
    stamps, flashes, black = _pictures(path)
    samples, rate_hz, first_s = _sound(path)
    envelope = _beep_envelope(samples, rate_hz, beep_hz, beep_ms)
    offsets = [offset for flash in flashes if (offset := _offset_ms(envelope, rate_hz, first_s, flash)) is not None]
    return Measured(
        duration_s=max(stamps[-1] if stamps else 0.0, first_s + len(samples) / rate_hz),
        pictures=len(stamps),
        black=black,
        audio_s=len(samples) / rate_hz,
        flashes_s=tuple(flashes),
        offsets_ms=tuple(offsets),
        monotonic=all(one < other for one, other in zip(stamps, stamps[1:], strict=False)),
    )


def _pictures(path: Path) -> tuple[list[float], list[float], int]:
    """The times of all pictures, and of the first picture of every flash (s); how many are black."""
    stamps: list[float] = []
    flashes: list[float] = []
    black = 0
    was_white = False
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for picture in container.decode(stream):
            luma = np.frombuffer(bytes(picture.planes[0]), np.uint8)
            brightness = float(luma[:: max(1, len(luma) // 4096)].mean())
            is_white = brightness > _WHITE_LUMA
            black += brightness < _BLACK_LUMA
            stamps.append(_at_s(picture))
            if is_white and not was_white:
                flashes.append(stamps[-1])
            was_white = is_white
    return stamps, flashes, black


def _sound(path: Path) -> tuple[Floats, int, float]:
    """All samples in [-1, 1] on one timeline, their rate, and the time of the first (s)."""
    pieces: list[Floats] = []
    first_s = 0.0
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate_hz = int(stream.rate)
        for frame in container.decode(stream):
            if not pieces:
                first_s = _at_s(frame)
            plane = np.asarray(frame.to_ndarray(), dtype=np.float64)
            pieces.append(plane.reshape(-1) if frame.layout.nb_channels == 1 else plane.mean(axis=0))
    return np.concatenate(pieces) if pieces else np.zeros(0), rate_hz, first_s


def _at_s(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert frame.pts is not None
    assert frame.time_base is not None
    return float(frame.pts * frame.time_base)


def _beep_envelope(samples: Floats, rate_hz: int, beep_hz: int, beep_ms: int) -> Floats:
    """For each sample, how much of a whole beep begins there: 1 where the piece is nothing but the beep."""
    length = beep_ms * rate_hz // 1000
    carrier = samples * np.exp(-2j * np.pi * beep_hz * np.arange(len(samples)) / rate_hz)
    sums = np.concatenate(([0], np.cumsum(carrier)))
    powers = np.concatenate(([0], np.cumsum(samples**2)))
    tone = np.abs(sums[length:] - sums[:-length])
    power = powers[length:] - powers[:-length]
    envelope: Floats = tone * tone * np.sqrt(2 / length) / np.sqrt(power + 1e-6)
    return envelope


def _offset_ms(envelope: Floats, rate_hz: int, first_s: float, flash_s: float) -> float | None:
    """How much later than the flash its beep begins; None when there is no beep near it."""
    centre = round((flash_s - first_s) * rate_hz)
    reach = SEARCH_MS * rate_hz // 1000
    start = max(0, centre - reach)
    piece = envelope[start : centre + reach]
    if not len(piece):
        return None
    peak = int(piece.argmax())
    if piece[peak] < _MIN_BEEP_SHARE * float(np.percentile(envelope, 99.9)):
        return None
    return round((start + peak - centre) * 1000 / rate_hz, 2)
