"""The audio of a meeting as Zoom would send it: chunks of the agreed length, per speaking person or mixed into one.

Separate streams: whoever speaks sends, everybody else sends nothing at all, and each person's chunks have their own
running timestamps. Mixed: one message an interval from the first to the last, silence included, with nobody's name.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from connectors.rtms.simulator import audio_encoder, speech
from connectors.rtms.simulator.audio_encoder import AudioCodec
from connectors.rtms.simulator.script import Script
from connectors.rtms.simulator.speech import Samples

BEEP_MS = 40
BEEP_HZ = 1_000

_BEEP_LEVEL = 0.15
_BEEP_LEAD_MS = 50
"""Silence before a beep in its own stream, so that a chunk's border says nothing about where the beep is."""

_BEEP_SEGMENT_MS = 200
_RAMP_MS = 2
_BEEP = ("beep", 0, _BEEP_SEGMENT_MS)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What was agreed: `channels` alike, in chunks of `send_rate_ms`, which for all codecs but L16 is 20."""

    send_rate_ms: int = 100
    rate_hz: int = 16_000
    channels: int = 1
    mixed: bool = False
    codec: AudioCodec = AudioCodec.L16


@dataclass(frozen=True, slots=True)
class Chunk:
    """`send_rate_ms` of sound; `start_ms` from the meeting's start, `user_id` 0 when mixed."""

    start_ms: int
    user_id: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """One person unmuted: from the first sample to the last. `origin` says where in which recording they come from."""

    user_id: int
    start_ms: int
    samples: Samples
    origin: tuple[str, int, int]


@cache
def _beep(rate_hz: int) -> Samples:
    """The beacon's segment: a lead of silence, the tone from its first sample on, silence."""
    count = BEEP_MS * rate_hz // 1000
    tone = np.sin(2 * np.pi * BEEP_HZ * np.arange(count) / rate_hz) * (_BEEP_LEVEL * 32767)
    ramp = _RAMP_MS * rate_hz // 1000
    tone[-ramp:] *= np.linspace(1, 0, ramp)
    samples = np.zeros(_BEEP_SEGMENT_MS * rate_hz // 1000, np.int16)
    lead = _BEEP_LEAD_MS * rate_hz // 1000
    samples[lead : lead + count] = np.rint(tone).astype(np.int16)
    return samples


def segments(script: Script, rate_hz: int) -> Iterator[Segment]:
    """Who is unmuted when, in the order of starting."""
    beacon = script.cast.beacon
    beeps = (Segment(beacon.user_id, at - _BEEP_LEAD_MS, _beep(rate_hz), _BEEP) for at in script.beats if beacon)
    turns = (
        Segment(
            turn.user_id,
            turn.start_ms,
            speech.spoken(turn.reading, *turn.recorded_ms, rate_hz),
            (turn.reading, *turn.recorded_ms),
        )
        for turn in script.turns
    )
    return heapq.merge(turns, beeps, key=lambda segment: segment.start_ms)


def chunks(script: Script, wanted: AudioFormat) -> Iterator[Chunk]:
    """The meeting's audio in the order in which chunks are complete."""
    return _mixed(script, wanted) if wanted.mixed else _separate(script, wanted)


def _padded(samples: Samples, size: int) -> Samples:
    return samples if len(samples) == size else np.pad(samples, (0, size - len(samples)))


def _segment_chunks(segment: Segment, wanted: AudioFormat) -> Iterator[Chunk]:
    """A segment cut up; the last chunk is as long as the others, filled with silence."""
    payloads = _pieces(segment.samples, wanted) if wanted.codec is AudioCodec.L16 else _packets(segment.origin, wanted)
    for number, payload in enumerate(payloads):
        yield Chunk(segment.start_ms + number * wanted.send_rate_ms, segment.user_id, payload)


def _pieces(samples: Samples, wanted: AudioFormat) -> Iterator[bytes]:
    size = wanted.send_rate_ms * wanted.rate_hz // 1000
    pieces = (_padded(samples[first : first + size], size) for first in range(0, len(samples), size))
    return audio_encoder.encode(pieces, wanted.codec, wanted.rate_hz, wanted.channels)


@lru_cache(maxsize=256)
def _packets(origin: tuple[str, int, int], wanted: AudioFormat) -> tuple[bytes, ...]:
    """Encoded once, however many meetings have it and however often: few parts of few recordings are ever spoken."""
    samples = _beep(wanted.rate_hz) if origin == _BEEP else speech.spoken(*origin, wanted.rate_hz)
    return tuple(_pieces(samples, wanted))


def _separate(script: Script, wanted: AudioFormat) -> Iterator[Chunk]:
    """Everybody's chunks merged; only segments that have begun are held."""
    held: list[tuple[int, int, Chunk, Iterator[Chunk]]] = []
    for segment in segments(script, wanted.rate_hz):
        while held and held[0][0] < segment.start_ms:
            yield _advance(held)
        own = _segment_chunks(segment, wanted)
        first = next(own)
        heapq.heappush(held, (first.start_ms, first.user_id, first, own))
    while held:
        yield _advance(held)


def _advance(held: list[tuple[int, int, Chunk, Iterator[Chunk]]]) -> Chunk:
    """Take the earliest chunk and put its successor in its place."""
    _, _, chunk, own = held[0]
    following = next(own, None)
    if following is None:
        heapq.heappop(held)
    else:
        heapq.heapreplace(held, (following.start_ms, following.user_id, following, own))
    return chunk


def _mixed(script: Script, wanted: AudioFormat) -> Iterator[Chunk]:
    """Intervals from the start to the end."""
    payloads = audio_encoder.encode(_sums(script, wanted), wanted.codec, wanted.rate_hz, wanted.channels)
    for number, payload in enumerate(payloads):
        yield Chunk(number * wanted.send_rate_ms, 0, payload)


def _sums(script: Script, wanted: AudioFormat) -> Iterator[Samples]:
    """Each interval's clipped sum of the segments that touch it."""
    size = wanted.send_rate_ms * wanted.rate_hz // 1000
    coming = segments(script, wanted.rate_hz)
    upcoming = next(coming, None)
    open_ones: list[Segment] = []
    for start_ms in range(0, script.length_ms, wanted.send_rate_ms):
        while upcoming is not None and upcoming.start_ms < start_ms + wanted.send_rate_ms:
            open_ones.append(upcoming)
            upcoming = next(coming, None)
        total = np.zeros(size, np.int32)
        for segment in open_ones:
            _add(total, segment, start_ms * wanted.rate_hz // 1000, wanted.rate_hz)
        end = (start_ms + wanted.send_rate_ms) * wanted.rate_hz // 1000
        open_ones = [s for s in open_ones if s.start_ms * wanted.rate_hz // 1000 + len(s.samples) > end]
        yield np.clip(total, -32768, 32767).astype(np.int16)


def _add(total: np.ndarray[tuple[int], np.dtype[np.int32]], segment: Segment, first: int, rate_hz: int) -> None:
    """Add to `total`, which starts at sample `first` of the meeting, what `segment` has there."""
    offset = segment.start_ms * rate_hz // 1000 - first
    source = segment.samples[max(0, -offset) : len(total) - offset]
    total[max(0, offset) : max(0, offset) + len(source)] += source
