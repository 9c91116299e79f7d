"""The ClickHouse connector against the real engine."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connectors.clickhouse.__main__ import main
from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.errors import TOO_LONG, Rejected, Unavailable
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.tables import create, create_database
from deploy.local.server import Server
from deploy.local.settings import REPOSITORY
from schemas.clickhouse import TABLES, UTTERANCES, Table
from tests.support.certificates import Authority
from tests.support.processes import PATIENCE_S
from tests.support.tls_relay import tls_relay

SELECT = "SELECT utterance_id, text, revision FROM utterances WHERE session_id = {session:String} ORDER BY start_ms"


@pytest.fixture
def settings(clickhouse: Server) -> ClickHouseSettings:
    return ClickHouseSettings(url=clickhouse.url, patience_s=PATIENCE_S)


@pytest.fixture
def client(settings: ClickHouseSettings) -> Iterator[ClickHouse]:
    client = ClickHouse(settings)
    create(client)
    yield client
    client.close()


@pytest.fixture
def session() -> str:
    return f"app_{uuid.uuid4().hex[:16]}"


def utterance(session: str, number: int = 0, offset: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "session_id": session,
        "engine": "zoom",
        "start_ms": 1_700_000_000_000 + number * 1000,
        "utterance_id": f"utt_{number}",
        "end_ms": 1_700_000_000_500 + number * 1000,
        "revision": 0,
        "status": "final",
        "participant_id": 16_778_240,
        "participant_name": None,
        "language": "en-US",
        "text": "It was the best of times — 最好的",
        "reason": None,
        "recognised_by": None,
        "model": None,
        "words": "[]",
        "withdraws": False,
        "updated_at_ms": 1_700_000_001_000,
        "_partition": 3,
        "_offset": offset,
        **changes,
    }


def test_the_command_creates_and_checks(
    clickhouse: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RTMS_CLICKHOUSE_URL", clickhouse.url)
    assert main(["tables"]) == 0
    assert main(["tables"]) == 0
    capsys.readouterr()
    assert main(["tables", "--check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [[table.name, "ok"] for table in TABLES]


def test_the_command_brings_a_table_of_an_earlier_release_forward(
    clickhouse: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RTMS_CLICKHOUSE_URL", clickhouse.url)
    monkeypatch.setenv("RTMS_CLICKHOUSE_DATABASE", "earlier")
    earlier = Table(
        UTTERANCES.name,
        {name: kind for name, kind in UTTERANCES.columns.items() if name not in ("model", "words")},
        UTTERANCES.order_by,
        UTTERANCES.partition_by,
    )
    settings = ClickHouseSettings()
    create_database(settings)
    client = ClickHouse(settings)
    client.command(earlier.create)
    client.insert(earlier, [{name: utterance("then")[name] for name in earlier.columns}])
    assert main(["tables", "--check"]) == 1
    assert "utterances           behind (model, words)" in capsys.readouterr().out
    assert main(["tables"]) == 0
    assert "utterances           extended (model, words)" in capsys.readouterr().out
    assert main(["tables", "--check"]) == 0
    client.insert(earlier, [{name: utterance("meanwhile")[name] for name in earlier.columns}])  # a sink that still runs
    client.insert(UTTERANCES, [utterance("now", model="nova-3")])
    rows = client.query("SELECT session_id, model, words FROM utterances")
    assert {row["session_id"]: (row["model"], row["words"]) for row in rows} == {
        "then": (None, ""),
        "meanwhile": (None, ""),
        "now": ("nova-3", "[]"),
    }
    client.close()


def test_the_command_says_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RTMS_CLICKHOUSE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("RTMS_CLICKHOUSE_PATIENCE_S", "0")
    assert main(["tables"]) == 2
    assert "not reached" in capsys.readouterr().err


def test_rows_come_back_as_they_were(client: ClickHouse, session: str) -> None:
    row = utterance(session)
    client.insert(UTTERANCES, [row])
    (back,) = client.query("SELECT * FROM utterances WHERE session_id = {session:String}", {"session": session})
    assert back == row


def test_writing_again_changes_nothing_and_the_higher_offset_wins(client: ClickHouse, session: str) -> None:
    rows = [utterance(session, number, offset=number + 10) for number in range(3)]
    client.insert(UTTERANCES, rows)
    client.insert(UTTERANCES, rows)
    client.insert(UTTERANCES, [utterance(session, 1, offset=50, text="corrected", revision=1)])
    client.insert(UTTERANCES, [utterance(session, 1, offset=20, text="stale")])
    found = client.query(SELECT, {"session": session})
    assert [(row["utterance_id"], row["text"], row["revision"]) for row in found] == [
        ("utt_0", rows[0]["text"], 0),
        ("utt_1", "corrected", 1),
        ("utt_2", rows[2]["text"], 0),
    ]


def test_the_queries_of_the_runbook_are_understood(client: ClickHouse) -> None:
    queries = re.findall(r"^```\n(SELECT.*?)^```$", (REPOSITORY / "docs" / "runbook.md").read_text(), re.M | re.S)
    assert queries
    for sql in queries:
        client.query(sql)


def test_parameters_are_bound_not_pasted(client: ClickHouse, session: str) -> None:
    client.insert(UTTERANCES, [utterance(session)])
    assert client.query(SELECT, {"session": f"{session}' OR '1'='1"}) == []


async def test_coroutines_can_ask_too(client: ClickHouse, session: str) -> None:
    client.insert(UTTERANCES, [utterance(session)])
    assert len(await client.query_async(SELECT, {"session": session})) == 1


def test_threads_can_share_one_client(client: ClickHouse, session: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: client.insert(UTTERANCES, [utterance(session, number)]), range(40)))
        counts = list(pool.map(lambda _: len(client.query(SELECT, {"session": session})), range(8)))
    assert counts == [40] * 8


def test_what_never_works_is_said_at_once_and_without_the_row(client: ClickHouse, session: str) -> None:
    started = time.monotonic()
    with pytest.raises(Rejected):
        client.query("SELECT nonsense FROM utterances")
    with pytest.raises(Rejected, match="lacks the column"):
        client.insert(UTTERANCES, [{"session_id": session}])
    with pytest.raises(Rejected) as error:
        client.insert(UTTERANCES, [utterance(session, start_ms="what she said")])
    assert "she said" not in str(error.value)
    assert time.monotonic() - started < PATIENCE_S, "what may pass is tried for so long"
    client.insert(UTTERANCES, [])


def test_an_absent_server_is_worth_another_try() -> None:
    nobody = ClickHouse(ClickHouseSettings(url="http://127.0.0.1:1", patience_s=0.3))
    with pytest.raises(Unavailable):
        nobody.query("SELECT 1")
    assert nobody.ping() is False


def test_a_restart_in_the_middle_costs_nothing(clickhouse: Server, client: ClickHouse, session: str) -> None:
    client.insert(UTTERANCES, [utterance(session, 0)])
    clickhouse.kill()
    assert client.ping() is False
    starter = threading.Thread(target=clickhouse.start)
    starter.start()
    try:
        client.insert(UTTERANCES, [utterance(session, 1)], patience_s=2 * PATIENCE_S)
    finally:
        starter.join()
    assert len(client.query(SELECT, {"session": session})) == 2
    assert client.ping()


def test_rows_of_any_number_of_months_are_one_block(client: ClickHouse, session: str) -> None:
    month_ms = 31 * 24 * 3_600_000
    client.insert(UTTERANCES, [utterance(session, number, start_ms=number * month_ms) for number in range(150)])
    assert len(client.query(SELECT, {"session": session})) == 150


def test_a_query_that_takes_longer_than_it_may_says_so(client: ClickHouse) -> None:
    slow = "SELECT sum(sleepEachRow(0.1)) FROM numbers(300) SETTINGS max_execution_time = 1, max_block_size = 1"
    with pytest.raises(Unavailable) as caught:
        client.query(slow, patience_s=0)
    assert caught.value.code == TOO_LONG


def test_an_engine_behind_an_authority_of_ones_own(clickhouse: Server, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with tls_relay(clickhouse.program.port, authority) as port:
        settings = ClickHouseSettings(url=f"https://127.0.0.1:{port}", patience_s=0)
        stranger = ClickHouse(settings)
        with pytest.raises(Unavailable):
            stranger.query("SELECT 1 AS one")
        client = ClickHouse(settings.model_copy(update={"ca_location": str(authority.file)}))
        assert client.query("SELECT 1 AS one") == [{"one": 1}]
        client.close()
