"""What is told of a session's trace."""

from typing import NamedTuple

Attribute = str | int | float | bool


class Span(NamedTuple):
    """Something that took a time, in Unix nanoseconds. `which` tells those of a session and a name apart."""

    session_id: str
    name: str
    which: str
    started_ns: int
    ended_ns: int
    attributes: dict[str, Attribute]
    is_failed: bool = False
