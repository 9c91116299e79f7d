"""Many speakers, one track: places every participant's audio on one absolute grid of samples and adds it up.

Sample n of the grid is the instant n / rate seconds of Zoom's clock (Unix). A chunk that agrees with the end of its
speaker's previous one within `TOLERANCE_MS` continues it, so that jittering stamps do not crackle; else it goes where
its stamp says. Where nobody spoke there is silence, because nothing was added. A speaker never overlaps himself: what
was sent twice is heard once.

A device's clock is never quite Zoom's: what it takes for an hour of sound is some tenths of a second more or less. A
voice that has come to lie `APART_MS` from its stamps is stretched by a sample every `SLEW` until it no longer does, so
that nobody who talks for hours is out of step with his picture, and nobody hears how that is done.

Placing is a fold over the chunks in order of time; its state is where each speaker's last chunk ended (`Ends`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from processors.muxing.voices import Voices, length_at, stretched
from processors.sound.decoding import Samples
from processors.sound.formats import AudioFormat
from schemas.records import Audio

TOLERANCE_MS = 15

APART_MS = 2
SLEW = 4000
"""One sample in so many, of the grid: 250 parts in a million, twice what bad clocks are apart."""

MAX_CHUNK_MS = 2000
"""Longer chunks are refused: twice what Zoom can be asked for."""

Ends = Mapping[str, int]
"""Participant (as text, for JSON) -> the grid sample after the last one placed."""


class Chunk(NamedTuple):
    """`length` of `record`'s samples, from `skip` on (both at the grid's rate), stand at `start` of the grid.

    Before that they are made `stretch` more, or less where it is negative.
    """

    start: int
    skip: int
    length: int
    record: Audio
    stretch: int = 0


def is_usable(record: Audio) -> bool:
    """Whether the payload is whole samples in a format that can be mixed, of a sane length."""
    audio = AudioFormat.of(record)
    return audio.is_known and audio.is_whole(record.payload) and duration_ms(record) <= MAX_CHUNK_MS


def duration_ms(record: Audio) -> int:
    """Rounded up."""
    return AudioFormat.of(record).duration_ms(record.payload)


def sample_at(time_ms: int, rate_hz: int) -> int:
    return time_ms * rate_hz // 1000


def place(records: Iterable[Audio], ends: Ends, rate_hz: int) -> tuple[list[Chunk], Ends]:
    """Where each of `records` (in order of time) goes, and where the speakers' last chunks end then."""
    tolerance = TOLERANCE_MS * rate_hz // 1000
    after = dict(ends)
    chunks = []
    for record in records:
        speaker = str(record.participant_id)
        stamp, count = _stamp(record, rate_hz), length_at(record, rate_hz)
        end = after.get(speaker)
        start, skip, stretch = stamp, 0, 0
        if end is not None and abs(stamp - end) <= tolerance:
            start, stretch = end, _stretch(end, count, stamp - end, rate_hz)
        elif end is not None and stamp < end:
            start, skip = end, end - stamp
        length = count + stretch - skip
        if length > 0:
            chunks.append(Chunk(start, skip, length, record, stretch))
            after[speaker] = start + length
    return chunks, after


def still_open(ends: Ends, time_ms: int, rate_hz: int) -> Ends:
    """The ends that a chunk from `time_ms` on can still continue or overlap."""
    oldest = sample_at(time_ms - TOLERANCE_MS, rate_hz)
    return {speaker: end for speaker, end in ends.items() if end >= oldest}


def mix(chunks: Iterable[Chunk], first: int, count: int, rate_hz: int) -> Samples:
    """Grid samples [first, first + count), clipped where too many shout."""
    track = np.zeros(count, np.int32)
    voices = Voices(rate_hz)
    for chunk in chunks:
        begin, end = max(chunk.start, first), min(chunk.start + chunk.length, first + count)
        if begin < end:
            offset = chunk.skip - chunk.start
            samples = stretched(voices.samples(chunk.record), chunk.stretch)
            track[begin - first : end - first] += samples[begin + offset : end + offset]
        elif AudioFormat.of(chunk.record).has_memory:
            voices.samples(chunk.record)
    return np.clip(track, -32768, 32767).astype(np.int16)


def apart(chunks: Iterable[Chunk], first: int, count: int, rate_hz: int) -> Iterator[tuple[int, Samples]]:
    """The same samples of each participant alone; added up and clipped they are the mix."""
    own: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        own.setdefault(chunk.record.participant_id, []).append(chunk)
    for participant_id, theirs in own.items():
        yield participant_id, mix(theirs, first, count, rate_hz)


def _stretch(start: int, count: int, behind: int, rate_hz: int) -> int:
    """By how much a chunk at `start` is made longer if its stamp lies `behind` samples later, shorter if earlier. Where
    samples are added depends on the grid alone, so there is nothing to remember from chunk to chunk."""
    if abs(behind) <= APART_MS * rate_hz // 1000:
        return 0
    turns = (start + count) // SLEW - start // SLEW
    return turns if behind > 0 else -turns


def _stamp(record: Audio, rate_hz: int) -> int:
    """The grid sample of the chunk's first, the codec's own delay taken off."""
    audio = AudioFormat.of(record)
    return sample_at(record.timestamp_ms, rate_hz) - audio.delay * rate_hz // audio.sample_rate_hz
