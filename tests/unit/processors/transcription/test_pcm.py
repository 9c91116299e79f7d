"""Formats and rates on their way to 16 kHz mono."""

import numpy as np
import pytest

from processors.sound.formats import AudioFormat
from processors.transcription.pcm import is_longer, is_supported, resampled
from schemas.records import Codec


def tone(rate_hz: int, frequency_hz: float, seconds: float = 0.5) -> np.ndarray:
    return np.rint(10_000 * np.sin(2 * np.pi * frequency_hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(
        "<i2"
    )


@pytest.mark.parametrize(
    ("codec", "rate_hz", "channels", "is_taken"),
    [
        (Codec.L16, 8_000, 1, True),
        (Codec.L16, 48_000, 2, True),
        (Codec.L16, 44_100, 1, False),
        (Codec.L16, 16_000, 3, False),
        (Codec.L16, 0, 0, False),
        (Codec.G711, 8_000, 1, True),
        (Codec.G722, 16_000, 1, True),
        (Codec.OPUS, 48_000, 2, True),
        (Codec.NONE, 16_000, 1, False),
    ],
)
def test_says_which_formats_it_takes(codec: Codec, rate_hz: int, channels: int, is_taken: bool) -> None:
    assert is_supported(AudioFormat(codec, rate_hz, channels)) is is_taken


def test_a_chunk_is_too_long_by_its_sound_or_where_nobody_knows_that_by_its_size() -> None:
    assert not is_longer(AudioFormat(Codec.L16, 8_000, 1), bytes(16_000), 1000)
    assert is_longer(AudioFormat(Codec.L16, 8_000, 1), bytes(16_016), 1000)
    assert not is_longer(AudioFormat(Codec.UNKNOWN, 0, 0), bytes(1024), 1)
    assert is_longer(AudioFormat(Codec.UNKNOWN, 0, 0), bytes(1025), 1)


@pytest.mark.parametrize("rate_hz", [8_000, 32_000, 48_000])
def test_resampling_keeps_a_tone_where_it_is(rate_hz: int) -> None:
    got = resampled(tone(rate_hz, 440), rate_hz).astype(float)
    wanted = tone(16_000, 440).astype(float)
    assert len(got) == len(wanted)
    inner = slice(400, -400)
    assert np.abs(got[inner] - wanted[inner]).max() < 60


def test_resampling_takes_away_what_would_alias() -> None:
    got = resampled(tone(48_000, 11_000), 48_000).astype(float)
    assert np.abs(got[400:-400]).max() < 30


def test_resampling_is_a_function_of_its_input() -> None:
    samples = tone(48_000, 700)
    assert resampled(samples, 48_000).tobytes() == resampled(samples.copy(), 48_000).tobytes()
    assert resampled(samples[:0], 48_000).tolist() == []
