"""What a session is asked to be, when it is asked for more than once: by a relay, by Zoom's webhook, by both. Pure.

What an API caller named beats what a template says, in either order; the first caller who names a field decides it.
What is asked of Zoom and of the processors is frozen by the first claim: they may have begun.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas import settings as session_settings
from schemas.records import AppSession, SessionFact
from schemas.settings import SessionSettings

DIRECT = "zoom_webhook"
"""The source of a request that came from Zoom itself: what it brings is a template's."""

OWN_FIELDS = ("metadata", "webhooks", "deduplication_key")
"""Fields of a request that concern nobody but us and the client, so that they may come at any time."""


def merged(state: AppSession, fact: SessionFact) -> AppSession:
    """The state of a live session that was requested again, addresses aside."""
    taken = _taken(state, fact)
    changed: dict[str, Any] = {name: getattr(fact, name) for name in OWN_FIELDS if name in taken}
    chosen = [name for name in taken if name not in OWN_FIELDS]
    if chosen and state.epoch < 0 and fact.settings is not None:
        changed["settings"] = _with(state.settings, fact.settings, chosen)
    if fact.source != DIRECT:
        changed["given"] = (*state.given, *(name for name in fact.given if name not in state.given))
    return replace(state, **changed)


def _taken(state: AppSession, fact: SessionFact) -> list[str]:
    """The fields that `fact` decides."""
    if fact.source != DIRECT:
        return [name for name in fact.given if name not in state.given]
    fields = [name for name in OWN_FIELDS if getattr(fact, name) is not None]
    return [name for name in (*fields, *SessionSettings.__dataclass_fields__) if name not in state.given]


def _with(text: str, other: str, names: list[str]) -> str:
    settings, given = session_settings.readable(text), session_settings.readable(other)
    known: Mapping[str, Any] = {name: getattr(given, name) for name in names if hasattr(given, name)}
    return session_settings.dumps(replace(settings, **known))
