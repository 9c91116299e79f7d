"""What becomes of a session's recording and its tracks when somebody says that they are stored, or not. Pure."""

from dataclasses import replace

from schemas.records import AppSession, FactKind, SessionFact
from schemas.session_states import Awaited

_TOLD = (FactKind.RECORDING_STORED, FactKind.RECORDING_FAILED)


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
