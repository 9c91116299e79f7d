"""Real recorded speech with its text: the two readings that the recogniser's wheel carries."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from processors.transcription.moonshine import package_folder
from processors.transcription.pcm import RECOGNISER_RATE_HZ, resampled
from processors.transcription.recogniser import RecogniserMissing

TWO_CITIES = """
    It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it
    was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of
    Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing
    before us, we were all going direct to Heaven, we were all going direct the other way -- in short, the period was
    so far like the present period, that some of its noisiest authorities insisted on its being received, for good or
    for evil, in the superlative degree of comparison only.
"""
BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."


@dataclass(frozen=True)
class Reading:
    """A reading as 16 kHz mono 16-bit PCM."""

    text: str
    pcm: bytes

    @property
    def duration_ms(self) -> int:
        return len(self.pcm) * 1000 // (2 * RECOGNISER_RATE_HZ)


@cache
def folder() -> Path:
    """The wheel's; a test that needs it is skipped without."""
    try:
        return package_folder()
    except RecogniserMissing as missing:
        pytest.skip(str(missing))


@cache
def raw(name: str) -> tuple[int, bytes]:
    """A reading as it was recorded: its rate and its mono 16-bit PCM."""
    with wave.open(str(folder() / "assets" / f"{name}.wav")) as source:
        assert (source.getnchannels(), source.getsampwidth()) == (1, 2)
        return source.getframerate(), source.readframes(source.getnframes())


@cache
def reading(name: str) -> Reading:
    """`two_cities` (44 s) or `beckett` (10 s)."""
    rate_hz, pcm = raw(name)
    samples = resampled(np.frombuffer(pcm, dtype="<i2"), rate_hz)
    return Reading({"two_cities": TWO_CITIES, "beckett": BECKETT}[name], samples.tobytes())
