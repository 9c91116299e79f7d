"""Which parameter sets of a stream are in force: readable ones only, and no more than a header and a state can hold.

A sequence parameter set that is not in force yet replaces all that came before, a picture parameter set replaces the
one of its id. Where a set is odd nothing stays in force, because nobody knows what the pictures after it build on: they
are dropped up to a key frame with sound sets.
"""

from collections.abc import Iterable, Sequence

from processors.muxing.bits import BitReader, unescaped
from processors.muxing.h264 import Nal, Size, kind, sequence

MAX_SET_BYTES = 4096
"""Real ones have less than 100; the largest useful ones, full of scaling lists, about 1000."""

MAX_BYTES = 64 * 1024
"""All of them together: they stand in every segment's header and in the processor's state."""

MAX_SEQUENCE_SETS = 30
MAX_PICTURE_SETS = 254
"""A header counts up to 31 and 255, and declares one of each for black pictures."""

_MAX_PICTURE_SET_ID = 255
_ID_BYTES = 8


def in_force(known: tuple[bytes, ...], new: Sequence[bytes]) -> tuple[bytes, ...]:
    """The sets in force after those that a message brought: sequence parameter sets first, empty where one is odd."""
    if not new or all(nal in known for nal in new):
        return known
    sequences = tuple(dict.fromkeys(nal for nal in new if kind(nal) == Nal.SPS))
    if any(nal not in known for nal in sequences):
        known = sequences
    try:
        by_id = {_picture_set_id(nal): nal for nal in [*known, *new] if kind(nal) == Nal.PPS}
        sets = (*(nal for nal in known if kind(nal) == Nal.SPS), *by_id.values())
        _check(sets)
    except ValueError:
        return ()
    return sets if kind(sets[0]) == Nal.SPS else ()


def is_complete(parameters: Iterable[bytes]) -> bool:
    """Whether a picture can be decoded by them: at least one set of either kind."""
    return {Nal.SPS, Nal.PPS} <= {kind(nal) for nal in parameters}


def size_of(parameters: Iterable[bytes], fallback: Size) -> Size:
    """The size that sets in force say."""
    return next((sequence(nal).size for nal in parameters if kind(nal) == Nal.SPS), fallback)


def _check(sets: Sequence[bytes]) -> None:
    """Raises ValueError when they cannot be in force together."""
    if any(len(nal) > MAX_SET_BYTES for nal in sets) or sum(map(len, sets)) > MAX_BYTES:
        raise ValueError("the parameter sets are too large")
    sequences = [nal for nal in sets if kind(nal) == Nal.SPS]
    if len(sequences) > MAX_SEQUENCE_SETS or len(sets) - len(sequences) > MAX_PICTURE_SETS:
        raise ValueError("there are too many parameter sets")
    for nal in sequences:
        sequence(nal)


def _picture_set_id(pps: bytes) -> int:
    number = BitReader(unescaped(pps[1 : 1 + _ID_BYTES])).unsigned()
    if number > _MAX_PICTURE_SET_ID:
        raise ValueError(f"no picture parameter set has the id {number}")
    return number
