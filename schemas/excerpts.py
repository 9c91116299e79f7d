"""What is kept of something too large to keep: its start, its whole length, and what identifies it."""

import hashlib
from typing import NamedTuple

KEPT_BYTES = 256 * 1024


class Excerpt(NamedTuple):
    """`head` is at most the first 256 KiB; `length` (bytes) and `sha256` (hex) are of the whole."""

    head: bytes
    length: int
    sha256: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.length == len(self.head)


def excerpt_of(data: bytes) -> Excerpt:
    """The excerpt of something that is all there."""
    return Excerpt(bytes(data[:KEPT_BYTES]), len(data), hashlib.sha256(data).hexdigest())


class Excerpting:
    """Makes an excerpt of what comes piece by piece, holding no more than the start of it."""

    __slots__ = ("_digest", "_head", "_length")

    def __init__(self) -> None:
        self._head = bytearray()
        self._length = 0
        self._digest = hashlib.sha256()

    def add(self, data: bytes) -> None:
        """The next piece."""
        self._head += data[: KEPT_BYTES - len(self._head)]
        self._length += len(data)
        self._digest.update(data)

    def excerpt(self) -> Excerpt:
        """The excerpt of all pieces so far."""
        return Excerpt(bytes(self._head), self._length, self._digest.hexdigest())
