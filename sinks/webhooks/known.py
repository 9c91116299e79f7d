"""Which deliveries there were, in little room: of a week they are millions, and each must be known again. Pure."""

from array import array
from bisect import bisect_left
from hashlib import blake2b

LEAST_LOOSE = 64


class Known:
    """Ids that were added. Eight bytes stand for each: within one receiver of one session no two are ever the same."""

    __slots__ = ("_loose", "_sorted")

    def __init__(self) -> None:
        self._sorted = array("Q")
        self._loose = array("Q")

    def __contains__(self, name: str) -> bool:
        digest = _digest(name)
        at = bisect_left(self._sorted, digest)
        return (at < len(self._sorted) and self._sorted[at] == digest) or digest in self._loose

    def __len__(self) -> int:
        return len(self._sorted) + len(self._loose)

    def add(self, name: str) -> None:
        """Know it from now on."""
        if name in self:
            return
        self._loose.append(_digest(name))
        if len(self._loose) > max(LEAST_LOOSE, len(self._sorted) // 32):
            self._sorted, self._loose = array("Q", sorted(self._sorted + self._loose)), array("Q")


def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
