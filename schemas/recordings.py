"""What becomes of a session's recording and its tracks when somebody says that they are stored, or not. Pure."""

from dataclasses import replace

from schemas.awaiting import NOT_IN_TIME, no_longer, reasons
from schemas.records import AppSession, FactKind, SessionFact, Stored
from schemas.session_states import Awaited, Progress
from schemas.settings import readable
from schemas.tracks import SHARE

_TOLD = (FactKind.RECORDING_STORED, FactKind.RECORDING_FAILED)

_LATE = frozenset({NOT_IN_TIME})


def stored(state: AppSession, fact: SessionFact) -> AppSession:
    """The state once the recording is there. Where no screen was shared it is what every view asks for."""
    state = with_tracks(replace(state, recording=fact.stored, recording_state=Progress.COMPLETE), fact)
    return state if _has_film(state) else no_longer(state, Awaited.COMPOSED)


def with_tracks(state: AppSession, fact: SessionFact) -> AppSession:
    """The state with the tracks that `fact` speaks of; one that brings none, as of a sink of an older release, takes
    none away. What is incomplete beside a recording that is stored is a failure, once, however often it is said."""
    if fact.kind not in _TOLD:
        return state
    failed = [f"{track.track}: {track.reason}" for track in fact.tracks if track.reason]
    if fact.kind is FactKind.RECORDING_STORED and fact.reason:
        failed.append(f"{Awaited.RECORDING}: {fact.reason}")
    new = tuple(failure for failure in failed if failure not in state.failures)
    return replace(state, tracks=fact.tracks or state.tracks, failures=(*state.failures, *new))


def whole(state: AppSession) -> Stored | None:
    """The file that is the session's recording: as its view asks for it, if there is one; None while that may come."""
    if state.awaits_composing:
        return None
    return state.composed or state.recording


def is_to_be_composed(state: AppSession) -> bool:
    """Whether somebody is to draw what its view asks for; also when the session has not waited for it any longer."""
    if state.recording is None or state.composed is not None or state.deletion is not None or not _has_film(state):
        return False
    return reasons(state, Awaited.COMPOSED) <= _LATE and readable(state.settings).is_composed


def is_to_be_copied(state: AppSession) -> bool:
    """Whether somebody is to put the whole recording, which is there, into the customer's bucket; also when the session
    has not waited for it any longer, as where the view was drawn too late for that."""
    if not state.awaits_copy and reasons(state, Awaited.COPY) != _LATE:
        return False
    if state.external_copy is not None or state.deletion is not None or whole(state) is None:
        return False
    return not is_to_be_composed(state)


def _has_film(state: AppSession) -> bool:
    return any(track.track == SHARE and track.key for track in state.tracks)
