"""The dashboard RTMS: sessions names the right ones: its statements, as Grafana sends them, on what the sink writes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.tables import create, create_database
from deploy.local.server import Server
from schemas import sessions
from schemas.holes import completeness
from schemas.records import (
    AppSession,
    DeliveryAttempt,
    DeliveryStatus,
    FactKind,
    Hole,
    SessionFact,
    Stored,
    StreamRequest,
    WebhookDelivery,
)
from scripts.chart.catalogue import REPOSITORY
from scripts.chart.documents import CHART
from sinks.clickhouse.rows import Position, row_of

DATABASE = "meetings"
DASHBOARD: dict[str, Any] = json.loads((CHART / "dashboards" / "rtms-sessions.json").read_text())
PANELS = {panel["title"]: panel["targets"][0]["rawSql"] for panel in DASHBOARD["panels"] if "targets" in panel}
VARIABLES = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
LIVE, STORING, STUCK, ENDED, RECEIVERS = PANELS
HOUR_MS = 3_600_000
REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://x",), zoom_app_id="zoa_1")
PENDING, FAILED, DELIVERED = DeliveryStatus.PENDING, DeliveryStatus.FAILED, DeliveryStatus.DELIVERED
CLAIMED, CONNECTED = (FactKind.CLAIMED, {"worker": "ingest-0"}), (FactKind.CONNECTED, {})
OVER, DISCONNECTED = (FactKind.STREAM_OVER, {"source": "zoom", "reason": "meeting_ended"}), (FactKind.DISCONNECTED, {})
JOINED, PAUSED = (CLAIMED, CONNECTED), (FactKind.PAUSED, {"as_of_ms": 5000})
HOLES = (
    Hole(medium="audio", from_ms=1000, to_ms=3000, cause="memory_budget"),
    Hole(medium="audio", participant_id=7, from_ms=2000, to_ms=4500, cause="not_delivered"),
    Hole(medium="audio", participant_id=8, from_ms=2500, to_ms=2600, cause="not_delivered"),
    Hole(medium="video", from_ms=9000, to_ms=9000, cause="not_delivered"),
)
LOST = tuple((FactKind.HOLE_FOUND, {"hole": hole}) for hole in HOLES)
STORED = (
    (FactKind.RECORDING_STORED, {"stored": Stored(key="k")}),
    (FactKind.TRANSCRIPT_STORED, {"stored": Stored(count=1)}),
    (FactKind.EVENTS_STORED, {"stored": Stored(count=1)}),
)


@cache
def now_ms() -> int:
    """When a test asked first."""
    return int(time.time() * 1000)


@pytest.fixture(scope="module")
def tables(clickhouse: Server) -> Iterator[ClickHouse]:
    settings = ClickHouseSettings(url=clickhouse.url, database=DATABASE, patience_s=20)
    create_database(settings)
    client = ClickHouse(settings)
    for found in create(client):
        # What is replaced stays, and must not be seen.
        client.command(f"SYSTEM STOP MERGES {DATABASE}.{found.table.name}")
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _empty(tables: ClickHouse) -> Iterator[None]:
    now_ms.cache_clear()
    yield
    for table in ("app_sessions", "webhook_deliveries"):
        tables.command(f"TRUNCATE TABLE {table}")


def as_sent(sql: str, projects: Sequence[str] = (), within_ms: int = 6 * HOUR_MS) -> str:
    """What Grafana and its plugin make of a statement: no projects is All."""
    sql = re.sub(r"\$__conditionalAll\((.+), \$project\)", r"\1" if projects else "1=1", sql)
    values = {
        "${database}": DATABASE,
        "${project:singlequote}": ",".join(f"'{project}'" for project in projects),
        "${__from}": str(now_ms() - within_ms),
        "${__to}": str(int(time.time() * 1000)),
    }
    for name, value in values.items():
        sql = sql.replace(name, value)
    assert "$" not in sql, "a variable that the dashboard does not have"
    return sql


def shown(tables: ClickHouse, panel: str, **chosen: Any) -> dict[str, dict[str, Any]]:
    """The rows of a panel, by what they name; FINAL is only what the statement itself says."""
    sql = as_sent(PANELS[panel], **chosen) + "\nSETTINGS final = 0"
    key = "subscription_id" if panel == RECEIVERS else "session_id"
    rows = tables.query(sql)
    assert len({row[key] for row in rows}) == len(rows), "named twice"
    return {row[key]: row for row in rows}


def lived(session_id: str, *facts: Any, ago_ms: int = HOUR_MS, project: str = "proj_1") -> list[AppSession]:
    """Every state of a session, as lifecycle folds it; the last fact was so long ago."""
    requested = (FactKind.REQUESTED, {"project_id": project, "request": REQUEST, "source": "api"})
    states: list[AppSession] = []
    state, epoch = None, None
    for offset, (kind, fields) in enumerate((requested, *facts)):
        epoch = offset if kind is FactKind.CLAIMED else epoch
        held = {"epoch": epoch} if kind in (FactKind.CONNECTED, OVER[0], DISCONNECTED[0]) else {}
        fact = SessionFact(session_id=session_id, kind=kind, **{**held, **fields})
        state = sessions.fold(state, fact, offset, now_ms() - ago_ms - len(facts) + offset)
        assert state is not None
        states.append(state)
    return states


def write(tables: ClickHouse, *records: AppSession | WebhookDelivery) -> None:
    """One insert for each record, as offsets go: nothing is replaced before somebody reads."""
    for offset, record in enumerate(records):
        table, row = row_of(record, Position(3, offset, now_ms()))
        tables.insert(table, [row])


def delivery(number: int, status: DeliveryStatus, *attempts: tuple[int, int | str], **fields: Any) -> WebhookDelivery:
    """`attempts` are how many minutes ago, and what was answered."""
    usual = {"session_id": "app_1", "subscription_id": "whs_1", "created_at_ms": now_ms() - HOUR_MS + number}
    told = tuple(
        DeliveryAttempt(at_ms=now_ms() - ago * 60_000, excerpt="the words", **_answered(answer))
        for ago, answer in attempts
    )
    return WebhookDelivery(**{
        "delivery_id": f"whd_{number}", "project_id": "proj_1", "url": "https://hook/?token=x", "trigger": "t",
        "sequence": number, "body": "the words", "status": status, "attempts": told, "due_ms": now_ms(),
        "notice_offset": number, **usual, **fields,
    })  # fmt: skip


def _answered(answer: int | str) -> dict[str, Any]:
    return {"status_code": answer} if isinstance(answer, int) else {"error": answer}


def test_who_is_live_is_listed_and_who_is_over_is_not(tables: ClickHouse) -> None:
    connecting, live = lived("app_connecting", CLAIMED), lived("app_live", *JOINED, *LOST, PAUSED)
    ended = lived("app_ended", *JOINED, OVER, DISCONNECTED, *STORED)
    storing = lived("app_storing", *JOINED, OVER, DISCONNECTED, STORED[0])
    failed = lived("app_failed", CLAIMED, (FactKind.CONNECTION_FAILED, {"epoch": 1, "reason": "no_answer"}))
    write(tables, *connecting, *live, *live, *ended, *storing, *failed)
    found = shown(tables, LIVE)
    assert {name: row["state"] for name, row in found.items()} == {
        "app_connecting": "connecting", "app_live": "connected",
    }  # fmt: skip
    row = found["app_live"]
    assert (row["worker"], row["recording"], row["transcript"]) == ("ingest-0", "paused", "in_progress")
    connected, paused = live[-1].history[-2:]
    assert connected.new_state == paused.new_state
    assert row["since"].timestamp() * 1000 == pytest.approx(connected.created_at_ms, abs=0.5)
    assert row["holes_by_medium"] == "audio: 3 (3.5 s), video: 1 (0 s)"
    assert completeness(HOLES)["audio"].missing_ms == 3500
    assert {name: row["waits_for"] for name, row in shown(tables, STORING).items()} == {
        "app_storing": "transcript, events"
    }


def test_how_sessions_ended(tables: ClickHouse) -> None:
    whole = lived("app_whole", *JOINED, OVER, DISCONNECTED, *STORED, ago_ms=HOUR_MS)
    short = lived(
        "app_short", *JOINED, *LOST, OVER, DISCONNECTED,
        (FactKind.RECORDING_FAILED, {"reason": "segments_missing"}), *STORED[1:], ago_ms=2 * HOUR_MS,
    )  # fmt: skip
    failed = lived("app_failed", CLAIMED, (FactKind.CONNECTION_FAILED, {"epoch": 1, "reason": "no_answer"}))
    older = lived("app_older", *JOINED, OVER, DISCONNECTED, *STORED, ago_ms=7 * HOUR_MS)
    renamed = sessions.fold(
        older[-1], SessionFact(session_id="app_older", kind=FactKind.METADATA_REPLACED), 99, now_ms()
    )
    assert renamed is not None
    live = lived("app_live", *JOINED)
    write(tables, *whole, *short, *failed, *older, renamed, *live)
    found = shown(tables, ENDED)
    assert found.keys() == {"app_whole", "app_short", "app_failed"}, "the older one is only touched in the time range"
    assert {name: (row["state"], row["reason"], row["failures"]) for name, row in found.items()} == {
        "app_whole": ("ended", "meeting_ended", ""),
        "app_short": ("ended", "meeting_ended", "recording: segments_missing"),
        "app_failed": ("fatal_error", "zoom_connection_failed, no_answer", ""),
    }
    assert [found[name]["recording"] for name in ("app_whole", "app_short")] == ["complete", "failed"]
    assert found["app_short"]["holes_by_medium"].startswith("audio: 3 (3.5 s)")
    assert shown(tables, ENDED, within_ms=90 * 60_000).keys() == {"app_whole", "app_failed"}
    assert "app_older" in shown(tables, ENDED, within_ms=8 * HOUR_MS)


def test_who_stays_in_a_state_for_too_long_is_stuck(tables: ClickHouse) -> None:
    storing = (*JOINED, OVER, DISCONNECTED)
    write(tables, *lived("app_connecting", CLAIMED, ago_ms=7 * 60_000), *lived("app_soon", CLAIMED, ago_ms=4 * 60_000),
          *lived("app_storing", *storing, ago_ms=32 * 60_000), *lived("app_stored", *storing, *STORED),
          *lived("app_later", *storing, ago_ms=29 * 60_000), *lived("app_ending", *JOINED, OVER, ago_ms=7 * 60_000),
          *lived("app_long", *JOINED), *lived("app_for_ever", *JOINED, ago_ms=31 * HOUR_MS))  # fmt: skip
    found = shown(tables, STUCK)
    assert list(found) == ["app_for_ever", "app_storing", "app_connecting", "app_ending"], "the longest first"


def test_receivers_that_fail_are_named_and_those_that_recovered_are_not(tables: ClickHouse) -> None:
    fails, recovered, well, refuses = (
        {"subscription_id": f"whs_{name}"} for name in ("fails", "recovered", "well", "no")
    )
    waiting = [delivery(number, PENDING, **fails) for number in range(50, 90)]
    tried = delivery(2, PENDING, (20, 500), (10, "timeout"), **fails)
    records = [
        delivery(1, DELIVERED, (30, 200), **fails),
        delivery(2, PENDING, **fails), tried, tried, *waiting,
        delivery(3, PENDING, (5, 503), **fails, session_id="app_2"),
        delivery(4, FAILED, (40, 500), (35, 500), **recovered), delivery(5, DELIVERED, (30, 200), **recovered),
        delivery(6, PENDING, (20, 500), **recovered, session_id="app_2"),
        delivery(6, DELIVERED, (20, 500), (15, 204), **recovered, session_id="app_2"),
        delivery(7, DELIVERED, (30, 200), **well), delivery(8, PENDING, **well),
        delivery(9, FAILED, (50, 410), (49, 410), (48, 410), **refuses),
        delivery(10, FAILED, (45, 404), **refuses, project_id="proj_2"),
    ]  # fmt: skip
    write(tables, *records)
    rows = tables.query(as_sent(PANELS[RECEIVERS]) + "\nSETTINGS final = 0")
    found = {(row["project_id"], row["subscription_id"]): row for row in rows}
    assert len(found) == len(rows)
    assert found.keys() == {("proj_1", "whs_fails"), ("proj_1", "whs_no"), ("proj_2", "whs_no")}
    row = found["proj_1", "whs_fails"]
    assert (row["sessions"], row["given_up"], row["waiting"], row["last_answer"]) == (2, 0, 42, "503")
    ago_min = {
        name: round((now_ms() / 1000 - row[name].timestamp()) / 60)
        for name in ("failing_since", "last_taken", "last_failure")
    }
    assert ago_min == {"failing_since": 20, "last_taken": 30, "last_failure": 5}
    refusing = found["proj_1", "whs_no"]
    assert (refusing["given_up"], refusing["last_answer"], refusing["last_taken"]) == (1, "410", None)
    assert shown(tables, RECEIVERS, projects=["proj_2"]).keys() == {"whs_no"}
    assert shown(tables, RECEIVERS, within_ms=60_000) == {}


def test_a_project_is_chosen_among_those_that_there_are(tables: ClickHouse) -> None:
    write(tables, *lived("app_a", *JOINED), *lived("app_b", *JOINED, project="proj_2"))
    assert shown(tables, LIVE).keys() == {"app_a", "app_b"}
    assert shown(tables, LIVE, projects=["proj_2"]).keys() == {"app_b"}
    assert shown(tables, LIVE, projects=["proj_2", "proj_1"]).keys() == {"app_a", "app_b"}
    ask = {name: VARIABLES[name]["query"]["rawSql"] for name in ("database", "project")}
    assert [row["project_id"] for row in tables.query(as_sent(ask["project"]))] == ["proj_1", "proj_2"]
    assert DATABASE in [row["database"] for row in tables.query(as_sent(ask["database"]))]
    assert VARIABLES["project"]["current"]["value"] == ["$__all"]


def test_nothing_but_ids_codes_and_times_is_shown(tables: ClickHouse) -> None:
    write(tables, *lived("app_a", *JOINED), delivery(1, FAILED, (9, 500)))
    told = str([shown(tables, panel) for panel in PANELS])
    assert "app_a" in told
    assert "whs_1" in told
    for secret in ("the words", "token", "wss://"):
        assert secret not in told


def test_the_documented_grants_are_of_the_tables_that_it_asks(tables: ClickHouse) -> None:
    """The engine inside a process has no accounts, so it can only say that they are ClickHouse's language; the rest is
    held by name. What is granted is SELECT alone."""
    told = (REPOSITORY / "docs" / "operations.md").read_text()
    granted = re.findall(r"^GRANT (.+) ON \w+\.(\w+) TO grafana;$", told, re.MULTILINE)
    asked = (*PANELS.values(), VARIABLES["project"]["query"]["rawSql"])
    named = {table for sql in asked for table in re.findall(r"(?:FROM|JOIN) (?!\()(\S+)", sql)}
    assert named == {f"${{database}}.{table}" for _, table in granted}
    assert {right for right, _ in granted} == {"SELECT"}
    (statements,) = [block for block in re.findall(r"```sql\n(.*?)```", told, re.DOTALL) if "GRANT" in block]
    for statement in filter(None, map(str.strip, statements.split(";"))):
        assert tables.query(f"EXPLAIN AST {statement}")
