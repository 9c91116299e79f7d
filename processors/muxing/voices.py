"""Everybody's decoders while one stretch is mixed: each speaker's chunks, in order of time, at one rate."""

from typing import NamedTuple

import numpy as np

from processors.sound.decoding import Decoder, Samples, decoder
from processors.sound.formats import AudioFormat
from schemas.records import Audio

FORGOTTEN_MS = 1_000
"""After such a silence a speaker is heard as one who has just begun. Shorter than what a stretch looks back on, so that
two stretches hear the sound at their border alike."""


class _Voice(NamedTuple):
    decoder: Decoder
    end_ms: int


class Voices:
    """Fresh for every stretch."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._voices: dict[tuple[int, AudioFormat], _Voice] = {}

    def samples(self, record: Audio) -> Samples:
        """The chunk at the common rate, with as many samples as `length_at` says."""
        audio = AudioFormat.of(record)
        who = record.participant_id, audio
        voice = self._voices.get(who)
        if voice is None or record.timestamp_ms - voice.end_ms > FORGOTTEN_MS:
            voice = _Voice(decoder(audio), 0)
        end_ms = record.timestamp_ms + audio.duration_ms(record.payload)
        self._voices[who] = voice._replace(end_ms=end_ms)
        samples = voice.decoder.samples(record.payload)
        if audio.sample_rate_hz == self._rate_hz:
            return samples
        return _resampled(samples, length_at(record, self._rate_hz))


def length_at(record: Audio, rate_hz: int) -> int:
    """How many samples a chunk has at a rate."""
    audio = AudioFormat.of(record)
    return audio.length(record.payload) * rate_hz // audio.sample_rate_hz


def stretched(samples: Samples, by: int) -> Samples:
    """The same sound in `by` more samples, in fewer where it is negative."""
    if not by or not len(samples):
        return samples
    positions = np.linspace(0, len(samples) - 1, len(samples) + by)
    longer: Samples = np.interp(positions, np.arange(len(samples)), samples).round().astype(np.int16)
    return longer


def _resampled(samples: Samples, count: int) -> Samples:
    """`count` samples over the same time, by linear interpolation of running means: each chunk by itself, so that a
    replay cannot differ, at the price of a little treble."""
    width = max(1, len(samples) // max(count, 1))
    if width > 1:
        padded = np.pad(samples.astype(np.float64), (0, width - 1), mode="edge")
        smooth = np.convolve(padded, np.full(width, 1 / width), mode="valid")
    else:
        smooth = samples.astype(np.float64)
    positions = np.arange(count) * (len(samples) / count)
    resampled: Samples = np.interp(positions, np.arange(len(samples)), smooth).round().astype(np.int16)
    return resampled
