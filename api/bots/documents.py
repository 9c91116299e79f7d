"""An app session in the shape of a bot: how programs read its state that know no other way. Pure."""

from typing import Any

from typing_extensions import TypedDict

from api.app_sessions.documents import EventDocument, document
from schemas.records import AppSession

MEETING_URL = "app_session"
"""What stands in the place of a meeting's address."""


class BotDocument(TypedDict):
    """An app session as a bot; `join_at` is always null."""

    id: str
    metadata: dict[str, str] | None
    meeting_url: str
    state: str
    events: list[EventDocument]
    transcription_state: str
    recording_state: str
    join_at: str | None
    deduplication_key: str | None


class BotPage(TypedDict):
    """One page of bots, ascending by creation."""

    next: str | None
    previous: str | None
    results: list[BotDocument]


def bot(state: AppSession) -> BotDocument:
    """`state` as it is answered."""
    session: Any = document(state)
    shared = ("id", "metadata", "state", "events", "transcription_state", "recording_state", "deduplication_key")
    found: Any = {name: session[name] for name in shared} | {"meeting_url": MEETING_URL, "join_at": None}
    return found  # type: ignore[no-any-return]
