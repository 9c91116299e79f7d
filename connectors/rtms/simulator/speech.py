"""The voices: recordings from the `moonshine-voice` wheel, found without importing it, at the rate that was agreed.

Only the wheel's sound files are wanted here, not its library, so it need not be loadable. Conversion is done once per
recording and rate; after that a turn is a slice.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from connectors.rtms.simulator.readings import READINGS

Samples = NDArray[np.int16]

_WHEEL = "moonshine_voice"


class NoRecordings(Exception):
    """The wheel with the recordings is not installed."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"the simulator's voices are missing ({missing}): they come with the 'recogniser' extra, "
            "pip install 'rtms-pipeline[recogniser]' or moonshine-voice==0.1.0"
        )


def recording_file(name: str) -> Path:
    """Where the recording of a reading lies; NoRecordings when it does not."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise NoRecordings(_WHEEL)
    path = Path(spec.origin).parent / "assets" / READINGS[name].file
    if not path.is_file():
        raise NoRecordings(path.name)
    return path


@cache
def voice(name: str, rate_hz: int) -> Samples:
    """A whole recording: mono, 16 bit, at `rate_hz`, brought to speaking level. Do not write into it."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)
    with av.open(str(recording_file(name))) as container:
        frames: list[Any] = [*container.decode(audio=0), None]
        pieces = [piece.to_ndarray()[0] for frame in frames for piece in resampler.resample(frame)]
    scaled = np.concatenate(pieces) * (32767 * READINGS[name].gain)
    samples = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    samples.setflags(write=False)
    return samples


def spoken(name: str, start_ms: int, end_ms: int, rate_hz: int) -> Samples:
    """The part of a recording between two times of its own."""
    return voice(name, rate_hz)[start_ms * rate_hz // 1000 : end_ms * rate_hz // 1000]
