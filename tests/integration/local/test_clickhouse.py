"""The unmodified clickhouse-connect clients, sync and async, cannot tell our engine's endpoint from a server."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Iterator

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from deploy.local.server import Server
from tests.support.processes import PATIENCE_S, wait_for

COLUMNS = ("session_id", "start_ms", "speaker", "text", "_offset")
ROW = ("app_1", 1_700_000_000_123, None, "čau — it's `quoted`\n\\", 7)


@pytest.fixture
def client(clickhouse: Server) -> Iterator[Client]:
    with clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.program.port) as client:
        yield client


@pytest.fixture
async def async_client(clickhouse: Server) -> AsyncIterator[AsyncClient]:
    client = await clickhouse_connect.get_async_client(host="127.0.0.1", port=clickhouse.program.port)
    async with client:
        yield client


@pytest.fixture
def table(client: Client) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex[:8]}"
    client.command(
        f"CREATE TABLE {name} (session_id String, start_ms Int64 CODEC(Delta, ZSTD(1)), "
        "speaker LowCardinality(Nullable(String)), text String, _offset UInt64) "
        "ENGINE = ReplacingMergeTree(_offset) PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(start_ms)) "
        "ORDER BY (session_id, start_ms)"
    )
    yield name
    client.command(f"DROP TABLE {name}")


def test_the_handshake_names_a_version_and_a_time_zone(client: Client) -> None:
    assert int(client.server_version.split(".")[0]) >= 26
    assert client.ping()
    assert client.command("SELECT 40 + 2") == 42


def test_what_was_inserted_is_read_back(client: Client, table: str) -> None:
    summary = client.insert(table, [ROW], COLUMNS)

    assert summary.written_rows == 1
    assert client.query(f"SELECT * FROM {table}").result_rows == [ROW]


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip", False])
def test_every_compression_a_driver_may_choose(clickhouse: Server, table: str, compression: str | bool) -> None:
    """Also of more than a driver sends in one block, each of which it compresses by itself."""
    rows = [(f"app_{number}", number, "s", "text" * 500, number) for number in range(5000)]
    port = clickhouse.program.port
    with clickhouse_connect.get_client(host="127.0.0.1", port=port, compress=compression) as client:
        client.insert(table, rows, COLUMNS)

        assert client.query(f"SELECT count(), max(start_ms) FROM {table}").result_rows == [(5000, 4999)]


def test_final_keeps_the_row_with_the_highest_offset(client: Client, table: str) -> None:
    client.insert(table, [("app_1", 1, "a", "first", 1)], COLUMNS)
    client.insert(table, [("app_1", 1, "a", "second", 2)], COLUMNS)
    client.insert(table, [("app_1", 1, "a", "first", 1)], COLUMNS)

    assert client.query(f"SELECT text FROM {table} FINAL").result_rows == [("second",)]


def test_typed_parameters_cannot_break_out_of_their_place(client: Client, table: str) -> None:
    client.insert(table, [ROW], COLUMNS)
    sql = f"SELECT start_ms FROM {table} WHERE text = {{text:String}} AND start_ms IN {{times:Array(Int64)}}"

    assert client.query(sql, {"text": ROW[3], "times": [1, ROW[1]]}).result_rows == [(ROW[1],)]
    assert client.query(sql, {"text": "' OR 1 = 1 --", "times": [ROW[1]]}).result_rows == []


@pytest.mark.parametrize("text", ["a" * 100_000, "ü\r\n--x\t'\\ \"漢\n" * 1000, "\r" * 5000])
def test_parameters_that_are_too_long_for_an_address_arrive_as_they_are(client: Client, text: str) -> None:
    asked = {"text": text, "texts": [text, "b"]}
    found = client.query("SELECT {text:String}, {texts:Array(String)}", asked, settings={"final": 1}).result_rows
    assert found == [(text, [text, "b"])]


def test_settings_hold_for_one_query_only(client: Client) -> None:
    sql = "SELECT getSetting('max_block_size')"
    default = client.query(sql).result_rows

    assert client.query(sql, settings={"max_block_size": 77}).result_rows == [(77,)]
    assert client.query(sql).result_rows == default


def test_errors_carry_clickhouses_own_code(client: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE|Unknown table") as unknown:
        client.query("SELECT * FROM not_there")
    with pytest.raises(DatabaseError, match="SYNTAX_ERROR|Syntax error"):
        client.query("SELEC 1")

    assert unknown.value.code == 60


def test_a_damaged_insert_changes_nothing(client: Client, table: str) -> None:
    with pytest.raises(DatabaseError):
        client.raw_insert(table, COLUMNS, b"not native at all", fmt="Native")

    assert client.query(f"SELECT count() FROM {table}").result_rows == [(0,)]


def test_other_ways_to_insert(client: Client, table: str) -> None:
    client.command(f"INSERT INTO {table} (session_id, start_ms, text) VALUES ('app_1', 1, 'FORMAT Native')")
    client.raw_insert(table, ["session_id", "start_ms"], b'{"session_id": "app_2", "start_ms": 2}\n', fmt="JSONEachRow")
    client.command(f"INSERT INTO {table} SELECT 'app_3', 3, NULL, 'text', 3")

    rows = client.query(f"SELECT session_id, text FROM {table} ORDER BY start_ms").result_rows
    assert rows == [("app_1", "FORMAT Native"), ("app_2", ""), ("app_3", "text")]


async def test_the_async_client_reads_and_writes_concurrently(async_client: AsyncClient, table: str) -> None:
    await asyncio.gather(*(async_client.insert(table, [(f"app_{n}", n, None, "text", n)], COLUMNS) for n in range(20)))

    answers = await asyncio.gather(*(async_client.query(f"SELECT count() FROM {table}") for _ in range(20)))

    assert {answer.result_rows[0][0] for answer in answers} == {20}


def test_many_threads_insert_at_once(clickhouse: Server, client: Client, table: str) -> None:
    def insert(number: int) -> None:
        with clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.program.port) as own:
            own.insert(table, [(f"app_{number}", number, None, "text", number)], COLUMNS)

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert client.query(f"SELECT count() FROM {table}").result_rows == [(8,)]


def test_rows_survive_a_kill(clickhouse: Server, client: Client, table: str) -> None:
    client.insert(table, [ROW], COLUMNS)

    clickhouse.kill()
    clickhouse.start()

    with clickhouse_connect.get_client(host="127.0.0.1", port=clickhouse.program.port) as again:
        assert again.query(f"SELECT * FROM {table}").result_rows == [ROW]


def test_a_query_that_runs_when_it_is_told_to_stop_is_answered(clickhouse: Server) -> None:
    # Long enough to be seen running, and over long before the 10 s that what is being answered is given.
    slow = "SELECT sleepEachRow(0.2) FROM numbers(20) SETTINGS max_block_size = 1"
    answers: list[int] = []

    def ask() -> None:
        answers.append(httpx.post(clickhouse.url, content=slow, timeout=PATIENCE_S, trust_env=False).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        running = (
            "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow(0%' AND query NOT LIKE '%process%'"
        )
        wait_for(lambda: _count(clickhouse, running) == 1, PATIENCE_S, lambda: "the query did not begin")
        clickhouse.ask_to_stop()
        wait_for(lambda: clickhouse.exit_code() is not None, PATIENCE_S, lambda: "it does not stop")
        assert clickhouse.exit_code() == 0
    finally:
        asking.join()
        clickhouse.stop()
        clickhouse.start()
    assert answers == [200]


def _count(clickhouse: Server, sql: str) -> int:
    return int(httpx.post(clickhouse.url, content=sql, timeout=PATIENCE_S, trust_env=False).text)
