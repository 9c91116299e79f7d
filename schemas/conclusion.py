"""What a session's last event says of it, in the words of the App Session API. Pure.

How many utterances failed, and for which reasons, comes from the ClickHouse sink as one of the session's failures.
"""

import re
from collections.abc import Collection, Iterable

from schemas.awaiting import NOT_IN_TIME, reasons
from schemas.records import AppSession
from schemas.session_states import Awaited, State
from schemas.transcription_codes import IN_PROGRESS

_FAILED = re.compile(r"utterances_failed: \d+ of \d+ \(([a-z_, ]+)\)$")
_SEPARATOR = ", "


def utterances_failed(failed: int, rows: int, codes: Collection[str]) -> str:
    """Of so many, for these reasons."""
    return f"utterances_failed: {failed} of {rows} ({_SEPARATOR.join(sorted(codes))})"


def metadata(state: AppSession) -> dict[str, object]:
    """Of the event with which it ends: for how long it was connected, in whole seconds, and what there is not of it."""
    said: dict[str, object] = {}
    if (seconds := _connected_s(state)) is not None:
        said["bot_duration_seconds"] = seconds
    if errors := sorted(set(_transcription_errors(state))):
        said["transcription_errors"] = errors
    if state.failures:
        said["failures"] = list(state.failures)
    return said


def _connected_s(state: AppSession) -> int | None:
    at_ms = {entry.new_state: entry.created_at_ms for entry in state.history if entry.new_state != entry.old_state}
    connected_ms, over_ms = at_ms.get(State.CONNECTED), at_ms.get(State.POST_PROCESSING)
    return None if connected_ms is None or over_ms is None else max(0, over_ms - connected_ms) // 1000


def _transcription_errors(state: AppSession) -> Iterable[str]:
    for reason in reasons(state, Awaited.TRANSCRIPT):
        if reason == NOT_IN_TIME:
            yield IN_PROGRESS
        elif found := _FAILED.search(reason):
            yield from found[1].split(_SEPARATOR)
