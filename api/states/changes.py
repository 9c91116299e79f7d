"""A session's states as a feed. Pure.

A state carries its whole history, so this feed needs no log: an event's position is its number in the history.
"""

from collections.abc import Iterator
from typing import Any

from api.feeds.cursors import Cursor
from api.feeds.events import END, Event, event
from api.feeds.news import SESSION_OVER
from schemas import embedded_json
from schemas.async_transcriptions import CHANGED
from schemas.records import AppSession, HistoryEntry
from schemas.sessions import TERMINAL
from schemas.times import iso_offset

STATE_CHANGE = "state_change"
RECORDING_CHANGE = "recording_change"
ASYNC_TRANSCRIPTION_CHANGE = "async_transcription_change"


def news(session: AppSession, after: Cursor) -> Iterator[Event]:
    """What happened to the session after the cursor; at last, if it is over, that it is."""
    partition = after.partition
    for number, entry in enumerate(session.history):
        if number > after.position:
            yield event(_name(entry), _document(number, entry), Cursor(partition, number))
    if session.state in TERMINAL:
        last = Cursor(partition, max(0, len(session.history) - 1), is_end=True)
        yield event(END, {"reason": SESSION_OVER}, last)


def is_over(session: AppSession, after: Cursor) -> bool:
    """Whether who stands at the cursor knows of the end, and nothing came after it."""
    return after.is_end and after.position >= len(session.history) - 1


def is_ahead(session: AppSession, after: Cursor) -> bool:
    """Whether the cursor knows more than the state does."""
    return after.position >= len(session.history)


def _name(entry: HistoryEntry) -> str:
    if entry.event_type == CHANGED:
        return ASYNC_TRANSCRIPTION_CHANGE
    return RECORDING_CHANGE if entry.old_state == entry.new_state else STATE_CHANGE


def _document(number: int, entry: HistoryEntry) -> dict[str, Any]:
    """What a `bot.state_change` webhook says, and which one in the session's life it is."""
    return {
        "sequence": number,
        "event_type": entry.event_type,
        "event_sub_type": entry.sub_type,
        "event_metadata": embedded_json.read(entry.metadata) or {},
        "old_state": entry.old_state,
        "new_state": entry.new_state,
        "created_at": iso_offset(entry.created_at_ms),
    }
