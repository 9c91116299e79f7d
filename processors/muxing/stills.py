"""Single pictures, JPG or PNG: how large they are, told by their first bytes. Nothing here decodes one."""

from typing import NamedTuple

from processors.muxing.h264 import Size
from schemas.records import Codec

MAX_PIXELS = 4096 * 2304
MIN_SIDE, MAX_SIDE = 16, 16_384
"""As the encoder takes them."""

MAX_SEGMENTS = 4096
"""Before a JPG's frame, with what fills in between; a real one has a few dozen, and millions would take seconds."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = slice(16, 24)
_JPG = b"\xff\xd8"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN, _END = 0xDA, 0xD9
CODECS = frozenset({Codec.JPG, Codec.PNG})


class Still(NamedTuple):
    """A picture that can be decoded by itself; `data` as it was sent."""

    codec: Codec
    size: Size
    data: bytes


def still(codec: Codec, data: bytes) -> Still | None:
    """None where it is no such picture, or one of no sane size: a few bytes can ask for gigabytes."""
    size = {Codec.JPG: _jpg_size, Codec.PNG: _png_size}[codec](data)
    if size is None or min(size) < MIN_SIDE or max(size) > MAX_SIDE or size.width * size.height > MAX_PIXELS:
        return None
    return Still(codec, size, data)


def _png_size(data: bytes) -> Size | None:
    numbers = data[_PNG_SIZE]
    if not data.startswith(_PNG) or len(numbers) < 8:
        return None
    return Size(int.from_bytes(numbers[:4], "big"), int.from_bytes(numbers[4:], "big"))


def _jpg_size(data: bytes) -> Size | None:
    """By the first frame header; the segments before it are passed over."""
    at = len(_JPG) if data.startswith(_JPG) else len(data)
    for _ in range(MAX_SEGMENTS):
        if at + 9 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = (int.from_bytes(data[at + first : at + first + 2], "big") for first in (5, 7))
            return Size(width, height)
        if marker in (_SCAN, _END):
            return None
        if marker == 0xFF:
            at += 1  # filling
        else:
            at += 2 if marker in _WITHOUT_LENGTH else 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None
