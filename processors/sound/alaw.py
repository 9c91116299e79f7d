"""G.711 A-law, the sound of telephones: one byte a sample. Pure."""

from functools import cache

import numpy as np
import numpy.typing as npt

RATE_HZ = 8_000


def decoded(payload: bytes) -> npt.NDArray[np.int16]:
    """The samples that the codes stand for."""
    samples: npt.NDArray[np.int16] = _table()[np.frombuffer(payload, dtype=np.uint8)]
    return samples


@cache
def _table() -> npt.NDArray[np.int16]:
    """256 codes to samples."""
    codes = np.arange(256) ^ 0x55
    exponent = (codes >> 4) & 7
    mantissa = (codes & 15) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(codes & 0x80, magnitude, -magnitude).astype(np.int16)
