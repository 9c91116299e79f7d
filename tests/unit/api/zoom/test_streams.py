"""What Zoom says of a stream counts, however far those are who make sessions of what was stated before."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.claims import Claims
from api.live_sessions import LiveSessions
from api.zoom import streams
from connectors.rtms.protocol.webhooks import StreamWebhook, WebhookKind
from schemas import ids
from schemas.deletion import CONSENT_REVOKED
from schemas.records import Claim, ClaimKind, FactKind, SessionFact, StreamRequest, ZoomApp
from schemas.sessions import State, fold

APP = ZoomApp(zoom_app_id="zoa_1", project_id="p", client_id="c", client_secret_encrypted="x", created_at_ms=1)
SESSION_ID = ids.session_id("p", "s")
REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://z",), zoom_app_id="z")


class Log:
    """Facts as they are stated; nobody folds them."""

    def __init__(self) -> None:
        self.facts: list[SessionFact] = []

    async def state(self, fact: SessionFact) -> None:
        self.facts.append(fact)


async def nothing_archived(*_arguments: Any) -> list[Any]:
    return []


async def caught_up(_topic: Any) -> None:
    """All there was has been read."""


def services(claims: Claims) -> Any:
    return SimpleNamespace(
        sessions=LiveSessions(), claims=claims, journal=Log(), catch_up=caught_up, refresh=caught_up,
        select=nothing_archived,
    )  # fmt: skip


def claimed() -> Claims:
    claims = Claims()
    claim = Claim(project_id="p", session_id=SESSION_ID, kind=ClaimKind.CLAIMED, request_id="r", limit=1)
    claims.apply(claim, 0, 1)
    return claims


def stop(reason: int) -> StreamWebhook:
    return StreamWebhook(kind=WebhookKind.STOPPED, product="meeting", meeting_id="m", stream_id="s", stop_reason=reason)


@pytest.mark.parametrize(("reason", "is_deleted"), [(6, False), (8, True)])
async def test_a_stop_that_comes_before_the_session_is_made_ends_it(reason: int, is_deleted: bool) -> None:
    """It was answered with 200 and lost: the session then knocked at a stream that was gone, and died of that."""
    known = services(claimed())
    assert await streams.follow(known, APP, stop(reason)) == "end requested"
    requested = SessionFact(session_id=SESSION_ID, kind=FactKind.REQUESTED, project_id="p", request=REQUEST, source="a")
    state = None
    for offset, fact in enumerate([requested, *known.journal.facts]):
        state = fold(state, fact, offset, 1)
    assert state is not None
    assert state.state == State.DISCONNECTING
    assert (state.deletion is not None) == is_deleted
    assert not is_deleted or cast(Any, state.deletion).reason == CONSENT_REVOKED


@pytest.mark.parametrize("reason", [6, 8])
async def test_a_stop_of_what_nobody_asked_for_is_nothing(reason: int) -> None:
    known = services(Claims())
    assert await streams.follow(known, APP, stop(reason)) == "already over"
    assert known.journal.facts == []
