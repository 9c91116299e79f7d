"""The trace of an App Session: ids that every process derives alike, so that nobody has to be told them. Pure.

A session is one trace. Its root span is the session itself, and every other span has that as its parent, so a span can
be written by whoever did the work, in any order, before or after the root, and a replay writes the same spans again.
Ids are as W3C Trace Context wants them.
"""

import hashlib

HEADER = "traceparent"
SESSION = "session"
"""The name of the root span."""


def trace_id(session_id: str) -> int:
    """The trace of a session: 128 bits, not 0."""
    return int.from_bytes(_digest(session_id)[:16]) or 1


def span_id(session_id: str, name: str, which: str = "") -> int:
    """A span of a session: 64 bits, not 0. `which` tells those of one name apart."""
    return int.from_bytes(_digest(session_id, name, which)[:8]) or 1


def traceparent(session_id: str) -> str:
    """What a header says of a record or a webhook about a session: its trace, under the root span, sampled."""
    return f"00-{trace_id(session_id):032x}-{span_id(session_id, SESSION):016x}-01"


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(("trace", *parts)).encode()).digest()
