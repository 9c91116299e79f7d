"""Two recordings as a player has them: the times of the pictures, and how far the sound is apart."""

import numpy as np
import numpy.typing as npt

from tests.support.muxed import decoded

SAME_DB = -50.0


def compared(expected: bytes, found: bytes) -> str:
    """What is not the same, in words."""
    one, other = decoded(expected), decoded(found)
    level_db = apart_db(one.audio, other.audio)
    counts = f"{len(other.times)} pictures instead of {len(one.times)}, or at other times"
    pictures = "the same picture times" if one.times == other.times else counts
    sounds = f"sound within {level_db:.0f} dB" if level_db <= SAME_DB else f"SOUND {level_db:.0f} dB APART"
    return f"{pictures}, {sounds}, {len(found)} bytes instead of {len(expected)}"


def apart_db(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """The level of the difference against the louder of the two; 0 where the lengths differ."""
    if one.shape != other.shape:
        return 0.0
    power = max(float(np.mean(one**2)), float(np.mean(other**2)), 1e-12)
    return 10 * float(np.log10(float(np.mean((one - other) ** 2)) / power + 1e-15))
