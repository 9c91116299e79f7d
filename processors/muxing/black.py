"""A black picture of any size, made bit by bit: no encoder runs in this service.

The first macroblock spells out its samples, every other one repeats its neighbours: one byte each. The parameter sets
have ids that an encoder would hardly use, so a black picture between two pictures of a stream disturbs neither.
"""

from dataclasses import dataclass
from functools import lru_cache

from processors.muxing.bits import BitWriter, escaped
from processors.muxing.h264 import Nal, Size

SPS_ID = 31
PPS_ID = 255
LUMA, CHROMA = 16, 128
IDR_IDS = (65534, 65535, 65533)
"""Two that alternate, because key frames in a row must differ in it, and one that may stand between any two of these;
high, so that the stream's own hardly meets it."""

_REFERENCE = 0x60
_MACROBLOCK_PCM = 25
_MACROBLOCK_DC = 3
_NO_COEFFICIENTS = "1"
_NO_COEFFICIENTS_BESIDE_PCM = "000011"
_LEVELS = ((396, 11), (1620, 30), (3600, 31), (8192, 40), (22080, 50), (36864, 51))


@dataclass(frozen=True, slots=True)
class BlackPicture:
    sps: bytes
    pps: bytes
    slice: bytes

    @property
    def nals(self) -> tuple[bytes, ...]:
        return self.sps, self.pps, self.slice


@lru_cache(maxsize=32)
def black_picture(size: Size, parity: int) -> BlackPicture:
    """A key frame; `parity` (0 or 1, or 2 between two of these) must differ between neighbours."""
    columns, rows = -(-size.width // 16), -(-size.height // 16)
    return BlackPicture(_sps(size, columns, rows), _pps(), _slice(columns, rows, IDR_IDS[parity]))


def _nal(kind: Nal, payload: bytes) -> bytes:
    return bytes([_REFERENCE | kind]) + escaped(payload)


def _sps(size: Size, columns: int, rows: int) -> bytes:
    level = next((level for most, level in _LEVELS if columns * rows <= most), 52)
    writer = BitWriter().bits(66, 8).bits(0xC0, 8).bits(level, 8).unsigned(SPS_ID)
    writer.unsigned(0).unsigned(2).unsigned(1).bits(0, 1)  # frame numbers, output order, references, no gaps
    writer.unsigned(columns - 1).unsigned(rows - 1).bits(0b11, 2)
    right, bottom = columns * 16 - size.width, rows * 16 - size.height
    writer.bits(bool(right or bottom), 1)
    if right or bottom:
        writer.unsigned(0).unsigned(right // 2).unsigned(0).unsigned(bottom // 2)
    return _nal(Nal.SPS, writer.bits(0, 1).payload())


def _pps() -> bytes:
    writer = BitWriter().unsigned(PPS_ID).unsigned(SPS_ID).bits(0, 2).unsigned(0).unsigned(0).unsigned(0).bits(0, 3)
    return _nal(Nal.PPS, writer.unsigned(0).unsigned(0).unsigned(0).bits(0b100, 3).payload())


def _slice(columns: int, rows: int, idr_id: int) -> bytes:
    writer = BitWriter().unsigned(0).unsigned(7).unsigned(PPS_ID).bits(0, 4).unsigned(idr_id).bits(0, 2)
    writer.unsigned(0).unsigned(1)  # quantiser, no deblocking
    writer.unsigned(_MACROBLOCK_PCM).align().raw(bytes([LUMA] * 256 + [CHROMA] * 128))
    for index in range(1, columns * rows):
        beside_pcm = index in (1, columns)
        writer.unsigned(_MACROBLOCK_DC).pattern("11")  # chroma as the neighbours', same quantiser
        writer.pattern(_NO_COEFFICIENTS_BESIDE_PCM if beside_pcm else _NO_COEFFICIENTS)
    return _nal(Nal.IDR, writer.payload())
