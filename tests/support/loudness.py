"""How loud it is from hundredth to hundredth of a second: enough to tell whether a recording is that of a meeting."""

import io
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from connectors.rtms.simulator import sound
from connectors.rtms.simulator.script import Script
from connectors.rtms.simulator.sound import AudioFormat

RATE_HZ = 16_000
STEP = RATE_HZ // 100

Loudness = npt.NDArray[np.float64]


def loudness(samples: npt.NDArray[np.int16]) -> Loudness:
    steps = samples[: len(samples) // STEP * STEP].astype(float).reshape(-1, STEP)
    found: Loudness = np.sqrt((steps**2).mean(axis=1))
    return found


def loudness_recorded(movie: bytes) -> Loudness:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(io.BytesIO(movie)) as container:
        decoded: Any = container.decode(audio=0)
        pieces = [piece.to_ndarray()[0] for frame in decoded for piece in resampler.resample(frame)]
    return loudness(np.concatenate(pieces))


def loudness_meant(script: Script) -> Loudness:
    """Of all that is said in it together, from the first sound to the last: before and after it nobody records."""
    samples = np.zeros(script.length_ms * RATE_HZ // 1000, np.int16)
    for chunk in sound.chunks(script, AudioFormat(100, RATE_HZ, mixed=True)):
        at = chunk.start_ms * RATE_HZ // 1000
        said = np.frombuffer(chunk.payload, "<i2")[: len(samples) - at]
        samples[at : at + len(said)] = said
    return loudness(np.trim_zeros(samples))


def alike(one: Loudness, other: Loudness) -> float:
    """The best correlation there is, whenever each begins: 1 for the same."""
    one, other = one - one.mean(), other - other.mean()
    return float(np.correlate(one, other, "full").max() / (np.linalg.norm(one) * np.linalg.norm(other)))
