"""The part of an object that a request wants, by RFC 9110 §14. Pure."""

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


class Part(NamedTuple):
    """Bytes from `start` up to, not including, `end`; `whole` when the answer is a plain 200."""

    start: int
    end: int
    whole: bool = False


def part_of(header: str | None, size_bytes: int) -> Part | None:
    """The part that a Range header names; None when there is no such part (416).

    A header that is no single range of bytes is ignored, as the RFC allows.
    """
    whole = Part(0, size_bytes, whole=True)
    match = _RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return whole
    first, last = match.groups()
    if not first:
        length = min(int(last), size_bytes)
        return Part(size_bytes - length, size_bytes) if length else None
    start, end = int(first), min(int(last) + 1 if last else size_bytes, size_bytes)
    if last and int(last) < int(first):
        return whole
    return Part(start, end) if start < size_bytes else None
