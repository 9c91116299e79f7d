"""The sound of one stretch, encoded: everybody's as it is heard in the recording, and each one's who has a track."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from processors.muxing import audio, mixing
from processors.muxing.logic import StretchWork
from processors.sound.decoding import Samples


class Soundtracks(NamedTuple):
    """Packets by the number of their frame, and by participant."""

    mixed: Mapping[int, bytes]
    apart: Mapping[int, Mapping[int, bytes]]


def soundtracks(work: StretchWork) -> Soundtracks:
    """Each of the stretch's `participants` has a track of it, silent where nothing was heard after all."""
    frames, rate_hz = frames_of(work.start_ms, work.end_ms, work.frame.rate_hz), work.frame.rate_hz
    first, count = audio.samples_for(frames)
    if not work.participants:
        mixed = mixing.mix(work.chunks, first, count, rate_hz) if work.chunks else None
        return Soundtracks(_packets(mixed, frames, rate_hz), {})
    total = np.zeros(count, np.int32)
    apart = {who: _packets(None, frames, rate_hz) for who in work.participants}
    for who, samples in mixing.apart(work.chunks, first, count, rate_hz):
        total += samples
        if who in apart:
            apart[who] = _packets(samples if samples.any() else None, frames, rate_hz)
    mixed = np.clip(total, -32768, 32767).astype(np.int16)
    return Soundtracks(_packets(mixed if work.chunks else None, frames, rate_hz), apart)


def frames_of(start_ms: int, end_ms: int, rate_hz: int) -> range:
    """The frames of the mix's grid that start in [start_ms, end_ms)."""
    return audio.frames_between(mixing.sample_at(start_ms, rate_hz), mixing.sample_at(end_ms, rate_hz))


def _packets(samples: Samples | None, frames: range, rate_hz: int) -> Mapping[int, bytes]:
    packets: Sequence[bytes] = (
        audio.silence(len(frames), rate_hz) if samples is None else audio.encode(samples, frames, rate_hz)
    )
    return dict(zip(frames, packets, strict=True))
