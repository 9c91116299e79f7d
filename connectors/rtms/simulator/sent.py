"""Every frame that was sent, packed: of a hundred meetings an hour long they are some ten million.

As objects they would take gigabytes, and Python's garbage collector would look through all of them again and again.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from connectors.rtms.protocol.codes import Medium

_ROW = struct.Struct("<BqqII")
_MEDIA = tuple(Medium)
_NUMBER = {medium: number for number, medium in enumerate(_MEDIA)}


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame as it was sent, for finding out which one is missing."""

    medium: Medium
    user_id: int
    timestamp_ms: int
    bytes: int
    crc32: int


class SentFrames(Sequence[Sent]):
    """In the order of sending. May be read in any thread while it grows."""

    def __init__(self) -> None:
        self._rows = bytearray()

    def add(self, medium: Medium, user_id: int, timestamp_ms: int, payload: bytes) -> None:
        """One more frame."""
        self._rows += _ROW.pack(_NUMBER[medium], user_id, timestamp_ms, len(payload), zlib.crc32(payload))

    def __len__(self) -> int:
        return len(self._rows) // _ROW.size

    def __iter__(self) -> Iterator[Sent]:
        for row in _ROW.iter_unpack(bytes(self._rows)):  # a copy: what is looked at must not grow
            yield _sent(row)

    @overload
    def __getitem__(self, index: int) -> Sent: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sent]: ...

    def __getitem__(self, index: int | slice) -> Sent | list[Sent]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return _sent(_ROW.unpack_from(self._rows, number * _ROW.size))


def _sent(row: tuple[int, ...]) -> Sent:
    number, *others = row
    return Sent(_MEDIA[number], *others)
