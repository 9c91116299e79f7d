"""Many speakers, one track: places every participant's audio on one absolute grid of samples and adds it up.

Sample n of the grid is the instant n / rate seconds of Zoom's clock (Unix). A chunk that agrees with the end of its
speaker's previous one within `TOLERANCE_MS` continues it, so that jittering stamps do not crackle; else it goes where
its stamp says. Where nobody spoke there is silence, because nothing was added. A speaker never overlaps himself: what
was sent twice is heard once.

Placing is a fold over the chunks in order of time; its state is where each speaker's last chunk ended (`Ends`).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from processors import alaw
from schemas.records import Audio, Codec

TOLERANCE_MS = 15

MAX_CHUNK_MS = 2000
"""Longer chunks are refused: twice what Zoom can be asked for."""

SAMPLE_BYTES = {Codec.L16: 2, Codec.G711: 1}
"""The codecs that every chunk can be decoded from by itself."""

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 96_000

Ends = Mapping[str, int]
"""Participant (as text, for JSON) -> the grid sample after the last one placed."""

Samples = npt.NDArray[np.int16]


class Chunk(NamedTuple):
    """`length` of `record`'s samples, from `skip` on (both at the grid's rate), stand at `start` of the grid."""

    start: int
    skip: int
    length: int
    record: Audio


def is_usable(record: Audio) -> bool:
    """Whether the payload is whole samples in a format that can be mixed, of a sane length."""
    is_sane = 1 <= record.channels <= 8 and MIN_RATE_HZ <= record.sample_rate_hz <= MAX_RATE_HZ
    if record.codec not in SAMPLE_BYTES or not is_sane:
        return False
    is_whole = len(record.payload) > 0 and len(record.payload) % _frame_bytes(record) == 0
    return is_whole and duration_ms(record) <= MAX_CHUNK_MS


def duration_ms(record: Audio) -> int:
    """Rounded up."""
    return -(-len(record.payload) * 1000 // (_frame_bytes(record) * record.sample_rate_hz))


def sample_at(time_ms: int, rate_hz: int) -> int:
    return time_ms * rate_hz // 1000


def place(records: Iterable[Audio], ends: Ends, rate_hz: int) -> tuple[list[Chunk], Ends]:
    """Where each of `records` (in order of time) goes, and where the speakers' last chunks end then."""
    tolerance = TOLERANCE_MS * rate_hz // 1000
    after = dict(ends)
    chunks = []
    for record in records:
        speaker = str(record.participant_id)
        stamp, count = sample_at(record.timestamp_ms, rate_hz), _count(record, rate_hz)
        end = after.get(speaker)
        start, skip = stamp, 0
        if end is not None and abs(stamp - end) <= tolerance:
            start = end
        elif end is not None and stamp < end:
            start, skip = end, end - stamp
        if skip < count:
            chunks.append(Chunk(start, skip, count - skip, record))
            after[speaker] = start + count - skip
    return chunks, after


def still_open(ends: Ends, time_ms: int, rate_hz: int) -> Ends:
    """The ends that a chunk from `time_ms` on can still continue or overlap."""
    oldest = sample_at(time_ms - TOLERANCE_MS, rate_hz)
    return {speaker: end for speaker, end in ends.items() if end >= oldest}


def mix(chunks: Iterable[Chunk], first: int, count: int, rate_hz: int) -> Samples:
    """Grid samples [first, first + count), clipped where too many shout."""
    track = np.zeros(count, np.int32)
    for chunk in chunks:
        begin, end = max(chunk.start, first), min(chunk.start + chunk.length, first + count)
        if begin < end:
            offset = chunk.skip - chunk.start
            track[begin - first : end - first] += _samples(chunk.record, rate_hz)[begin + offset : end + offset]
    return np.clip(track, -32768, 32767).astype(np.int16)


def _frame_bytes(record: Audio) -> int:
    """One sample of each channel."""
    return SAMPLE_BYTES[record.codec] * record.channels


def _count(record: Audio, rate_hz: int) -> int:
    frames = len(record.payload) // _frame_bytes(record)
    return frames * rate_hz // record.sample_rate_hz


def _samples(record: Audio, rate_hz: int) -> Samples:
    """The chunk as one channel at the grid's rate."""
    is_telephone = record.codec is Codec.G711
    samples = alaw.decoded(record.payload) if is_telephone else np.frombuffer(record.payload, "<i2")
    if record.channels > 1:
        samples = samples.reshape(-1, record.channels).mean(axis=1).astype("<i2")
    if record.sample_rate_hz == rate_hz:
        return samples.astype(np.int16)
    return _resampled(samples, record.sample_rate_hz, _count(record, rate_hz))


def _resampled(samples: Samples, from_hz: int, count: int) -> Samples:
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
