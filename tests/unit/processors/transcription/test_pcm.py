"""Formats and rates on their way to 16 kHz mono."""

import numpy as np
import pytest

from processors.transcription.pcm import AudioFormat, mono, resampled
from schemas.records import Codec


def tone(rate_hz: int, frequency_hz: float, seconds: float = 0.5) -> np.ndarray:
    return np.rint(10_000 * np.sin(2 * np.pi * frequency_hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(
        "<i2"
    )


@pytest.mark.parametrize(
    ("codec", "rate_hz", "channels", "is_supported"),
    [
        (Codec.L16, 8_000, 1, True),
        (Codec.L16, 48_000, 2, True),
        (Codec.L16, 44_100, 1, False),
        (Codec.L16, 16_000, 3, False),
        (Codec.L16, 0, 0, False),
        (Codec.G711, 8_000, 1, True),
        (Codec.G722, 16_000, 1, False),
        (Codec.OPUS, 48_000, 1, False),
        (Codec.NONE, 16_000, 1, False),
    ],
)
def test_says_which_formats_it_takes(codec: Codec, rate_hz: int, channels: int, is_supported: bool) -> None:
    assert AudioFormat(codec, rate_hz, channels).is_supported is is_supported


def test_stereo_becomes_the_mean_without_overflow() -> None:
    payload = np.array([32767, 32767, -32768, -32768, 100, -50], dtype="<i2").tobytes()
    assert mono(AudioFormat(Codec.L16, 48_000, 2), payload).tolist() == [32767, -32768, 25]


def test_a_cut_off_sample_is_left_out() -> None:
    assert mono(AudioFormat(Codec.L16, 16_000, 1), b"\x01\x00\x02").tolist() == [1]
    assert mono(AudioFormat(Codec.L16, 16_000, 2), b"\x01\x00\x03\x00\x02\x00").tolist() == [2]
    assert mono(AudioFormat(Codec.L16, 16_000, 1), b"").tolist() == []


def test_a_law_follows_the_standard() -> None:
    codes = bytes([0xD5, 0x55, 0xD4, 0x2A, 0xAA, 0xC5])
    assert mono(AudioFormat(Codec.G711, 8_000, 1), codes).tolist() == [8, -8, 24, -32256, 32256, 264]


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
