"""H.264 as it comes from Zoom: Annex-B access units, looked at no deeper than a recording needs.

Which NAL units there are, whether a picture can be decoded by itself, whether it is bidirectional, and how large the
pictures of a sequence parameter set are. Nothing here decodes a picture.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from processors.muxing.bits import BitReader, unescaped

START_CODE = b"\0\0\1"
SLICE_HEADER_BYTES = 16
MAX_NAL_UNITS = 4096
"""A message of more is no picture; a real one has a few dozen."""

MAX_MACROBLOCKS = 139_264
"""Of the standard's largest picture."""

_MAX_CHROMA, _MAX_DEPTH = 3, 14
PROFILES_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
B_SLICE = 1


class Nal(IntEnum):
    SLICE = 1
    IDR = 5
    SPS = 7
    PPS = 8
    DELIMITER = 9
    FILLER = 12


PARAMETERS = frozenset({Nal.SPS, Nal.PPS})
_SLICES = frozenset({Nal.SLICE, Nal.IDR})
_LEFT_OUT = frozenset({Nal.DELIMITER, Nal.FILLER})


class Size(NamedTuple):
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """What a sequence parameter set says."""

    size: Size
    profile: int
    chroma_format: int = 1
    luma_depth: int = 8
    chroma_depth: int = 8


class AccessUnit(NamedTuple):
    """One message's worth of NAL units; `has_picture` is false where only parameter sets (or nothing usable) came."""

    nals: tuple[bytes, ...]
    has_picture: bool
    is_idr: bool
    is_bidirectional: bool

    @property
    def parameters(self) -> tuple[bytes, ...]:
        return tuple(nal for nal in self.nals if kind(nal) in PARAMETERS)


def kind(nal: bytes) -> int:
    return nal[0] & 31


def nal_units(data: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex-B byte stream; what stands before the first start code is left out."""
    start = data.find(START_CODE)
    while start >= 0:
        start += len(START_CODE)
        end = data.find(START_CODE, start)
        nal = (data[start:] if end < 0 else data[start:end]).rstrip(b"\0")
        if nal:
            yield nal
        start = end


def access_unit(data: bytes) -> AccessUnit:
    """Never fails: what cannot be understood has no picture."""
    if data.count(START_CODE) > MAX_NAL_UNITS:  # empty ones and such as are left out take their time, too
        return AccessUnit((), has_picture=False, is_idr=False, is_bidirectional=False)
    nals: list[bytes] = []
    has_picture = is_idr = is_bidirectional = False
    for nal in nal_units(data):
        what = kind(nal)
        if what in _LEFT_OUT:
            continue
        nals.append(nal)
        if what in _SLICES:
            has_picture = True
            is_idr = is_idr or what == Nal.IDR
            is_bidirectional = is_bidirectional or _slice_type(nal) == B_SLICE
    return AccessUnit(tuple(nals), has_picture, is_idr, is_bidirectional)


def _slice_type(nal: bytes) -> int:
    reader = BitReader(unescaped(nal[1 : 1 + SLICE_HEADER_BYTES]))
    try:
        reader.unsigned()  # first macroblock
        return reader.unsigned() % 5
    except ValueError:
        return -1


@lru_cache(maxsize=256)
def sequence(sps: bytes) -> Sequence:
    """Read a sequence parameter set, up to the size of its pictures.

    Raises:
        ValueError: it is none.
    """
    reader = BitReader(unescaped(sps[1:]))
    profile = reader.bits(8)
    reader.bits(16)  # constraints, level
    reader.unsigned()  # id
    chroma, luma_depth, chroma_depth = _chroma(reader) if profile in PROFILES_WITH_CHROMA else (1, 8, 8)
    reader.unsigned()  # frame number's size
    _skip_picture_order(reader)
    reader.unsigned()  # reference pictures
    reader.bits(1)
    return Sequence(_size(reader, chroma), profile, chroma, luma_depth, chroma_depth)


def _chroma(reader: BitReader) -> tuple[int, int, int]:
    chroma = reader.unsigned()
    if chroma == 3:
        reader.bits(1)
    luma_depth, chroma_depth = reader.unsigned() + 8, reader.unsigned() + 8
    if chroma > _MAX_CHROMA or max(luma_depth, chroma_depth) > _MAX_DEPTH:
        raise ValueError("no picture has such colours")
    reader.bits(1)
    if reader.bits(1):
        for index in range(12 if chroma == 3 else 8):
            if reader.bits(1):
                _skip_scaling_list(reader, 16 if index < 6 else 64)
    return chroma, luma_depth, chroma_depth


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + reader.signed()) % 256
        last = following or last


def _skip_picture_order(reader: BitReader) -> None:
    order = reader.unsigned()
    if order == 0:
        reader.unsigned()
    elif order == 1:
        reader.bits(1)
        reader.signed()
        reader.signed()
        for _ in range(reader.unsigned()):
            reader.signed()


def _size(reader: BitReader, chroma: int) -> Size:
    width_mbs = reader.unsigned() + 1
    height_units = reader.unsigned() + 1
    frames_only = reader.bits(1)
    if not frames_only:
        reader.bits(1)
    reader.bits(1)
    left = right = top = bottom = 0
    if reader.bits(1):
        left, right, top, bottom = (reader.unsigned() for _ in range(4))
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 - frames_only)
    size = Size(
        width_mbs * 16 - unit_x * (left + right), height_units * 16 * (2 - frames_only) - unit_y * (top + bottom)
    )
    is_sane = 0 < size.width <= 16384 and 0 < size.height <= 16384
    if not is_sane or width_mbs * height_units * (2 - frames_only) > MAX_MACROBLOCKS:
        raise ValueError(f"no picture is {size.width} x {size.height}")
    return size


def length_prefixed(nals: Iterable[bytes]) -> bytes:
    """NAL units as an MP4 sample holds them."""
    return b"".join(part for nal in nals for part in (len(nal).to_bytes(4, "big"), nal))
