"""A session that ClickHouse alone has: found like any other, and never called unknown because something is away."""

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.app_sessions import archive, commands
from api.app_sessions.alterations import patch
from api.claims import Claims
from api.errors import ApiError, unavailable
from api.live_sessions import LiveSessions
from api.zoom.streams import follow
from connectors.clickhouse.errors import ClickHouseError
from connectors.rtms.protocol.codes import StopReason
from connectors.rtms.protocol.webhooks import StreamWebhook, WebhookKind
from schemas import archiving, ids
from schemas.records import AppSession, FactKind, StreamRequest, ZoomApp

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
SESSION = AppSession(
    session_id="app_1", project_id="p1", state="ended", request=REQUEST, settings="{}", metadata=None, history=(),
    recording_state="complete", transcription_state="complete", awaiting=(), created_at_ms=1, epoch=-1,
    folded_offset=4,
)  # fmt: skip


class World:
    """A view, a ClickHouse with `rows`, and what is told to the log; what is in `away` cannot be asked."""

    def __init__(self, *rows: AppSession, away: str = "") -> None:
        self.rows, self.away, self.facts, self.late = list(rows), away, [], None
        self.sessions, self.claims, self.released = LiveSessions(), Claims(), threading.Event()
        self.journal = self.clickhouse = self
        self.settings = SimpleNamespace(fold_timeout_s=1)

    async def refresh(self, _topic: object) -> None:
        if self.late is not None:
            self.sessions.apply(self.late.session_id, self.late)

    async def catch_up(self, _topic: object) -> None:
        if self.away == "kafka":
            raise unavailable("kafka")

    async def select(self, _sql: str, parameters: Any) -> list[dict[str, str]]:
        if self.away == "clickhouse":
            raise unavailable("clickhouse")
        return self._rows(parameters)

    def _rows(self, parameters: Any) -> list[dict[str, str]]:
        wanted = [row for row in self.rows if row.session_id in parameters["session_ids"]]
        own = [row for row in wanted if parameters["project_id"] in ("", row.project_id)]
        return [{"document": archiving.as_document(row)} for row in own]

    def query(self, _sql: str, parameters: Any, patience_s: float) -> list[dict[str, str]]:
        if self.away == "hanging":
            self.released.wait(10)
        if self.away == "clickhouse":
            raise ClickHouseError("away", code=0, name="x")
        return self._rows(parameters)

    async def state(self, fact: Any) -> SimpleNamespace:
        """As lifecycle would, the recalled session comes back, and any other fact is folded."""
        self.facts.append(fact)
        offset = 100 + len(self.facts)
        known = self.sessions.find(fact.session_id)
        if fact.kind is FactKind.RECALLED:
            known = known or archiving.recalled(fact)
        if known is not None:
            self.sessions.apply(fact.session_id, replace(known, metadata=fact.metadata, folded_offset=offset))
        return SimpleNamespace(offset=offset)


def services(world: World) -> Any:
    return cast(Any, world)


async def status_of(world: World, project_id: str = "p1", session_id: str = "app_1") -> int:
    try:
        await commands.find(services(world), project_id, session_id)
    except ApiError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("world", "status"),
    [
        (World(SESSION), 200),
        (World(SESSION, away="kafka"), 200),
        (World(SESSION, away="clickhouse"), 503),
        (World(), 404),
        (World(away="kafka"), 503),
        (World(away="clickhouse"), 503),
        (World(replace(SESSION, project_id="p2")), 404),
    ],
)
async def test_who_is_not_on_the_log_is_looked_for_and_only_then_unknown(world, status):
    assert await status_of(world) == status


async def test_who_is_on_the_log_needs_no_clickhouse():
    world = World(away="clickhouse")
    world.late = SESSION
    assert await status_of(world) == 200
    assert await status_of(world, "p2") == 503, "somebody else's is as good as none"
    world.away = ""
    assert await status_of(world, "p2") == 404


async def test_of_several_the_log_knows_better_than_clickhouse():
    other = replace(SESSION, session_id="app_2")
    world = World(replace(SESSION, metadata="old"), other, replace(SESSION, project_id="p2"))
    world.sessions.apply("app_1", SESSION)
    found = await archive.several(services(world), "p1", {"app_1", "app_2", "app_3"})
    assert found == {"app_1": SESSION, "app_2": other}
    world.away = "clickhouse"
    assert await archive.several(services(world), "p1", {"app_1"}) == {"app_1": SESSION}


async def test_a_link_needs_no_project():
    world = World(SESSION)
    assert await archive.linked(services(world), "app_1") == SESSION
    assert await archive.linked(services(world), "app_2") is None


async def test_who_is_changed_is_recalled_first_whether_or_not_the_view_has_it_still():
    """It may be archived at this very moment; where it is not, nothing comes of the first fact."""
    world = World(SESSION)
    for metadata in ({"a": "1"}, {"a": "2"}):
        await patch(services(world), SESSION, {"metadata": metadata})
    kinds = [fact.kind for fact in world.facts]
    assert kinds == [FactKind.RECALLED, FactKind.METADATA_REPLACED] * 2
    assert (world.facts[0].session_id, world.facts[0].project_id) == ("app_1", "p1")
    assert archiving.recalled(world.facts[0]) == SESSION


async def test_a_consent_that_is_revoked_late_reaches_who_is_archived():
    session_id = ids.session_id("p1", "s")
    world = World(replace(SESSION, session_id=session_id))
    app = ZoomApp(zoom_app_id="z", project_id="p1", client_id="c", client_secret_encrypted="x", created_at_ms=1)
    news = StreamWebhook(
        kind=WebhookKind.STOPPED, product="meeting", meeting_id="m", stream_id="s",
        stop_reason=StopReason.STREAM_REVOKED,
    )  # fmt: skip
    assert await follow(services(world), app, news) == "already over"
    assert [fact.kind for fact in world.facts] == [FactKind.RECALLED, FactKind.DATA_DELETED]
    world = World(away="clickhouse")
    with pytest.raises(ApiError) as caught:
        await follow(services(world), app, news)
    assert caught.value.status == 503, "Zoom says it again"
    assert await follow(services(world), app, replace(news, stop_reason=None)) == "already over"


@pytest.mark.parametrize("away", ["clickhouse", "hanging"])
async def test_a_new_session_does_not_wait_for_a_clickhouse_that_is_away(away, monkeypatch):
    monkeypatch.setattr(archive, "LOOK_S", 0.01)
    world = World(SESSION, away=away)
    for _ in range(5):  # more than may look at a time
        assert await archive.glimpsed(services(world), "p1", "app_1") is None
    world.released.set()
    monkeypatch.setattr(archive, "LOOK_S", 10)
    assert await archive.glimpsed(services(World(SESSION)), "p1", "app_1") == SESSION


async def test_what_clickhouse_has_of_a_session_that_is_not_over_is_no_archived_one():
    """It is live, and this replica has not read of it yet."""
    world = World(replace(SESSION, state="connected"))
    assert await commands.known(services(world), "p1", "app_1") is None


async def test_a_document_that_is_no_session_is_as_good_as_not_there(monkeypatch):
    world = World(SESSION)
    monkeypatch.setattr(world, "_rows", lambda _parameters: [{"document": text} for text in ("", "[" * 100_000, "{}")])
    assert await archive.glimpsed(services(world), "p1", "app_1") is None
    assert await archive.archived(services(world), "p1", "app_1") is None
