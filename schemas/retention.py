"""When a session's data has been kept for as long as it was to be. Pure.

How long stands in the session's settings, frozen when it was requested; it counts from the session's end. A hint as to
when to ask is all that a clock may give here: the fold holds the answer against the log's own time.
"""

from schemas import settings as session_settings
from schemas.records import AppSession
from schemas.session_states import DELETABLE

HOUR_MS = 3_600_000

MAX_HOURS = 24 * 366 * 100
"""Of a setting: whoever wants longer leaves it out."""


def due_ms(session: AppSession) -> int | None:
    """From when on the data is to be deleted; None: never, not yet known, or deleted already."""
    if session.state not in DELETABLE or session.deletion is not None:
        return None
    hours = session_settings.readable(session.settings).retention_hours
    if hours is None:
        return None
    ends = [
        entry.created_at_ms
        for entry in session.history
        if entry.new_state in DELETABLE and entry.old_state != entry.new_state
    ]
    return ends[-1] + hours * HOUR_MS if ends else None
