"""Where an event stands in its feed, as an id that every replica understands. Pure.

An id names the session's partition and the position in it: of a topic's record its offset, of a state its number in the
session's history. So it holds whoever answers, and whoever comes back says with it what was received.
"""

import re
from dataclasses import dataclass

from api.errors import ApiError, refused

NEW = -1
"""Before the first position."""

_FORM = re.compile(r"([0-9]{1,5})-([0-9]{1,18})(-end)?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """`position` is of the last record that has been told; `is_end`: nothing follows it."""

    partition: int
    position: int
    is_end: bool = False

    def __str__(self) -> str:
        return f"{self.partition}-{self.position}{'-end' if self.is_end else ''}"


def parsed(text: str | None, partition: int) -> Cursor:
    """The cursor that a reader came with; the beginning when it has none. Raises ApiError 400."""
    if not text:
        return Cursor(partition, NEW)
    form = _FORM.fullmatch(text)
    if form is None or int(form[1]) != partition:
        raise unknown()
    return Cursor(partition, int(form[2]), form[3] is not None)


def unknown() -> ApiError:
    """An id that no event of this feed had."""
    return refused("Last-Event-ID is none of this feed's. Leave it out to begin with the first event.")
