"""A stream that Zoom stopped for a reason that may pass: since when, for who holds it then to wait no longer. Pure.

The worker that heard it says so, and so does whoever took Zoom's webhook, which is all there is where the socket broke.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from schemas.records import AppSession, FactKind, SessionFact


def _stopped(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return replace(state, stopped_at_ms=at_ms)


def _begun_anew(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return replace(state, stopped_at_ms=None)


TRANSITIONS: Mapping[FactKind, Callable[[AppSession, SessionFact, int], AppSession]] = {
    FactKind.STREAM_STOPPED: _stopped,
    FactKind.CONNECTED: _begun_anew,
}
"""Of a session that is connected; one that is not yet says in its own words that it is."""


def left_ms(state: AppSession, new_start_ms: int, now_ms: int) -> int | None:
    """How much of the wait for a new start is left; None where none is waited for."""
    if state.stopped_at_ms is None:
        return None
    return min(max(0, state.stopped_at_ms + new_start_ms - now_ms), new_start_ms)
