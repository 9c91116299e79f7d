"""A medium that Zoom does not give, though it was asked for: one of the session's failures. Pure."""

from dataclasses import replace

from schemas.records import AppSession, SessionFact

MAX_REFUSALS = 100
"""A session with more failures than that says no more of this kind."""


def medium_refused(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """Said once: every connection hears it anew."""
    failure = fact.reason
    if not failure or failure in state.failures or len(state.failures) >= MAX_REFUSALS:
        return state
    return replace(state, failures=(*state.failures, failure))
