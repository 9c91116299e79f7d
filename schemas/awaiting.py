"""What a session waits for before it ends, and what becomes of it when that is not to come. Pure.

`AppSession.awaiting` lists what the first release knows; the copy and the composed recording are awaited beside it.
"""

from dataclasses import replace

from schemas.records import AppSession
from schemas.session_states import Awaited, Progress

NOT_IN_TIME = "not stored in time"


def awaited(state: AppSession) -> tuple[str, ...]:
    """All that it waits for."""
    beside = ((Awaited.COPY, state.awaits_copy), (Awaited.COMPOSED, state.awaits_composing))
    return (*state.awaiting, *(what for what, is_awaited in beside if is_awaited))


def nothing(state: AppSession) -> AppSession:
    """The state that waits for nothing."""
    return replace(state, awaiting=(), awaits_copy=False, awaits_composing=False)


def no_longer(state: AppSession, what: str) -> AppSession:
    """The state that waits for this no more."""
    if what == Awaited.COPY:
        return replace(state, awaits_copy=False)
    if what == Awaited.COMPOSED:
        return replace(state, awaits_composing=False)
    return replace(state, awaiting=tuple(other for other in state.awaiting if other != what))


def failed(state: AppSession, what: str, reason: str) -> AppSession:
    """The state in which this is not to come, and says so."""
    state = no_longer(state, what)
    if what == Awaited.RECORDING:  # and nothing will be there to be copied or composed
        state = no_longer(no_longer(state, Awaited.COPY), Awaited.COMPOSED)
        state = replace(state, recording_state=Progress.FAILED)
    if what == Awaited.TRANSCRIPT:
        state = replace(state, transcription_state=Progress.FAILED)
    return replace(state, failures=(*state.failures, f"{what}: {reason}"))


def reasons(state: AppSession, what: str) -> frozenset[str]:
    """Why the session did not get this, as `failed` was told."""
    parts = (failure.partition(": ") for failure in state.failures)
    return frozenset(reason for about, _, reason in parts if about == what)
