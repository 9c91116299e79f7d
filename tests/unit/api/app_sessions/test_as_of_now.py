"""A replica that is a moment behind refuses nothing for a state that others have told to be over."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from api.app_sessions.alterations import delete_data
from api.app_sessions.deletion_routes import get_data_deletion, get_transcript_deletion
from api.errors import ApiError
from api.live_sessions import LiveSessions
from api.transcripts import asynchronous
from schemas.records import AppSession, Deletion, ErasedPart, SessionFact
from schemas.sessions import State, fold
from tests.unit.schemas.test_async_transcriptions import WANTED, asked, fact, life, over

ASKED = Deletion(reason="asked", asked_at_ms=1)
GONE = replace(
    ASKED, parts=tuple(ErasedPart(part=part, count=0, erased_at_ms=1) for part in ("objects", "rows", "records"))
)


class Replica:
    """Its view is a moment behind `newest`; what is stated is folded."""

    def __init__(self, newest: AppSession) -> None:
        self.newest, self.sessions, self.journal, self.kept_ms = newest, LiveSessions(), self, {}
        self.clock = SimpleNamespace(monotonic=lambda: 0.0)
        self.settings = SimpleNamespace(fold_timeout_s=1, deletion_patience_s=0)

    async def catch_up(self, _topic: Any) -> None:
        self.sessions.apply(self.newest.session_id, self.newest)

    async def state(self, stated: SessionFact) -> Any:
        offset = self.newest.folded_offset + 1
        after = fold(self.newest, stated, offset, 5)
        assert after is not None
        self.newest = after
        self.sessions.apply(after.session_id, after)
        return SimpleNamespace(offset=offset)


Ask = Callable[[Any, AppSession], Awaitable[Any]]


async def receipt(services: Any, session: AppSession) -> Any:
    return await get_data_deletion(session, services)


async def transcript_receipt(services: Any, session: AppSession) -> Any:
    return await get_transcript_deletion(session, services)


async def transcribe(services: Any, session: AppSession) -> Any:
    return await asynchronous.ask(services, session, WANTED)


async def read(services: Any, session: AppSession) -> Any:
    return await asynchronous.readable(services, session, "tran_1")


CONNECTED, COMPLETE = over(state=State.CONNECTED), life(asked(), fact("begun"), fact("stored"))


@pytest.mark.parametrize(
    ("ask", "known", "newest"),
    [
        (delete_data, CONNECTED, over(deletion=GONE, state=State.DATA_DELETED)),
        (delete_data, CONNECTED, over()),
        (transcribe, CONNECTED, over()),
        (read, over(), COMPLETE),
        (read, life(asked(), fact("begun")), COMPLETE),
        (receipt, over(), over(state=State.DATA_DELETED, deletion=GONE)),
        (transcript_receipt, over(), over(transcript_deletion=ASKED)),
    ],
)
async def test_what_others_have_told_is_known_before_anything_is_refused(
    ask: Ask, known: AppSession, newest: AppSession
) -> None:
    assert await ask(Replica(newest), known)


@pytest.mark.parametrize(
    ("ask", "status"), [(delete_data, 400), (transcribe, 400), (read, 404), (receipt, 404), (transcript_receipt, 404)]
)
async def test_what_is_so_is_refused(ask: Ask, status: int) -> None:
    with pytest.raises(ApiError) as refused:
        await ask(Replica(CONNECTED), CONNECTED)
    assert refused.value.status == status
