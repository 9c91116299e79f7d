"""The spans that the log itself has: each fact at its moment, each state for as long as it lasted, the whole session.

A batch that is folded again after a crash has the same spans under the same ids.
"""

from collections.abc import Iterable

from connectors.host import traces
from processors.lifecycle.batch import FoldedBatch, StatedFact
from schemas.records import AppSession, SessionChange
from schemas.sessions import TERMINAL
from schemas.traces import SESSION


def tell(facts: Iterable[StatedFact], folded: FoldedBatch) -> None:
    """Tell the spans of a batch that is committed."""
    if not traces.is_on():
        return
    unfit = [*folded.refused, *(stated for stated, _ in folded.failed)]
    for stated in facts:
        if stated in unfit:
            continue
        moment = (stated.at_ms, stated.at_ms)
        fact, which = stated.fact, str(stated.offset)
        traces.past(fact.session_id, f"fact {fact.kind}", moment, which, source=fact.source)
    for change in folded.changes:
        if (state := folded.states[change.session_id]) is not None:  # archived in the very batch that changed it
            _tell_change(state, change)


def _tell_change(state: AppSession, change: SessionChange) -> None:
    entry, number = change.change, change.sequence
    entered = [one.created_at_ms for one in state.history[:number] if one.old_state != one.new_state]
    began_ms = entered[-1] if entered else state.created_at_ms
    if entry.old_state != entry.new_state and number and entry.old_state not in TERMINAL:
        lasted = (began_ms, entry.created_at_ms)
        traces.past(state.session_id, str(entry.old_state), lasted, str(number), sub_type=entry.sub_type or "")
    if entry.new_state in TERMINAL and entry.old_state not in TERMINAL:
        whole = (state.created_at_ms, entry.created_at_ms)
        traces.past(state.session_id, SESSION, whole, "", project_id=state.project_id, state=str(entry.new_state))
