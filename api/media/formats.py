"""What a recording is coded in, as its headers say: for players that decide by it before they fetch anything. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

SOUND = "mp4a.40.2"
"""AAC-LC, as all our sound is."""

_SIZE_AT = 28
"""In a sample entry, from its name on."""

_CONFIGURATION_BYTES = 4


class Format(NamedTuple):
    """Names of codecs by RFC 6381, and the size of the largest picture; nothing where no header says it."""

    codecs: tuple[str, ...] = ()
    size: tuple[int, int] | None = None


class _Pictures(NamedTuple):
    profile: int
    constraints: int
    level: int
    width: int
    height: int


def of(headers: Iterable[bytes]) -> Format:
    """Of all that a recording has: a player that can show the most demanding pictures can show the others."""
    headers = list(headers)
    pictures = [found for header in headers if (found := _pictures(header)) is not None]
    sound = (SOUND,) if any(b"mp4a" in header for header in headers) else ()
    if not pictures:
        return Format(sound)
    profile = max(one.profile for one in pictures)
    constraints, level = 0xFF, max(one.level for one in pictures)
    for one in pictures:
        constraints &= one.constraints if one.profile == profile else 0xFF
    largest = max(pictures, key=lambda one: one.width * one.height)
    return Format((f"avc1.{profile:02x}{constraints:02x}{level:02x}", *sound), (largest.width, largest.height))


def _pictures(header: bytes) -> _Pictures | None:
    """What the first H.264 track says; None where there is none that can be read."""
    entry, configuration = header.find(b"avc1"), header.find(b"avcC")
    size = header[entry + _SIZE_AT : entry + _SIZE_AT + 4]
    said = header[configuration + 4 : configuration + 4 + _CONFIGURATION_BYTES]
    if min(entry, configuration) < 0 or len(size) < 4 or len(said) < _CONFIGURATION_BYTES:
        return None
    width, height = int.from_bytes(size[:2], "big"), int.from_bytes(size[2:], "big")
    return _Pictures(said[1], said[2], said[3], width, height)
