"""Writes batches to ClickHouse and asks it questions.

Safe to use from several threads. Calls are retried with back-off while the error is one that passes; since all tables
replace by derived ids, a batch that was written without our learning of it does no harm when it is written again.
"""

import asyncio
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError as LibraryError

from connectors.clickhouse.columns import column_types
from connectors.clickhouse.errors import ClickHouseError, Rejected, translate
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.backoff import delays_s
from connectors.host.clock import Clock, SystemClock
from connectors.host.logs import get_logger
from schemas.clickhouse import Table

log = get_logger(__name__)

_Result = TypeVar("_Result")

_UNFIT = (TypeError, ValueError, ArithmeticError, AttributeError, struct.error)

# By default a block of more than a hundred partitions is refused: odd times would hold it up for ever.
_INSERT_SETTINGS = {"max_partitions_per_insert_block": 0}

Row = Mapping[str, Any]


class ClickHouse:
    """One database on one server. Connects on first use."""

    def __init__(self, settings: ClickHouseSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._client: Client | None = None
        self._lock = threading.Lock()
        # Threads of their own: a server that hangs has all of them, and others who need one for a moment none of those.
        self._threads = ThreadPoolExecutor(thread_name_prefix="clickhouse")

    def insert(self, table: Table, rows: Sequence[Row], patience_s: float | None = None) -> None:
        """Write rows, each a mapping of all the table's columns, as one block.

        Raises Unavailable when it did not work within `patience_s`, Rejected when it never will.
        """
        if not rows:
            return
        names = list(table.columns)
        try:
            values = [[row[name] for name in names] for row in rows]
        except KeyError as error:
            raise Rejected(f"a row for {table.name} lacks the column {error.args[0]}") from None
        types = list(column_types(table).values())

        def write(client: Client) -> None:
            try:
                client.insert(
                    table.name, values, column_names=names, column_type_names=types, settings=_INSERT_SETTINGS
                )
            except _UNFIT as error:  # its text quotes the value
                raise Rejected(f"a value does not fit its column of {table.name} ({type(error).__name__})") from None

        self._call(write, patience_s)

    def query(
        self, sql: str, parameters: Mapping[str, Any] | None = None, patience_s: float | None = None
    ) -> list[dict[str, Any]]:
        """The rows that `sql` selects, each a dictionary; `{name:Type}` in it is bound on the server.

        Every table is read with FINAL, so that replaced rows are never seen.
        """

        def read(client: Client) -> list[dict[str, Any]]:
            result = client.query(sql, parameters=dict(parameters or {}), settings={"final": 1})
            return list(result.named_results())

        return self._call(read, patience_s)

    async def query_async(
        self, sql: str, parameters: Mapping[str, Any] | None = None, patience_s: float | None = None
    ) -> list[dict[str, Any]]:
        """`query` for coroutines."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.query, sql, parameters, patience_s)

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None, patience_s: float | None = None) -> None:
        """Run a statement that returns nothing, e.g. one of the schema's; parameters are bound as in `query`."""
        self._call(lambda client: client.command(sql, parameters=dict(parameters or {})), patience_s)

    def ping(self) -> bool:
        """Whether the server answers right now."""
        try:
            self.query("SELECT 1", patience_s=0)
        except ClickHouseError:
            return False
        return True

    def close(self) -> None:
        """Give the connections back; the next call connects again."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _call(self, call: Callable[[Client], _Result], patience_s: float | None) -> _Result:
        patience_s = self._settings.patience_s if patience_s is None else patience_s
        deadline = self._clock.monotonic() + patience_s
        for delay_s in delays_s():
            try:
                return call(self._connected())
            except LibraryError as failure:
                error = translate(failure)
                if not error.retryable or self._clock.monotonic() + delay_s > deadline:
                    raise error from None  # the library's text may quote a row
                log.warning("clickhouse retry", error=error.name, code=error.code)
            time.sleep(delay_s)
        raise AssertionError("the delays never end")

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = connect(self._settings, self._settings.database)
            return self._client


def connect(settings: ClickHouseSettings, database: str) -> Client:
    """The library's client for one database; it asks the server for its version and settings at once."""
    url = urlsplit(settings.url)
    return clickhouse_connect.get_client(
        interface=url.scheme,
        host=url.hostname or "127.0.0.1",
        port=url.port or (8443 if url.scheme == "https" else 8123),
        username=settings.username,
        password=settings.password.get_secret_value(),
        database=database,
        ca_cert=settings.ca_location or None,
        connect_timeout=settings.connect_timeout_s,
        send_receive_timeout=settings.timeout_s,
        autogenerate_session_id=False,  # a session would allow one query at a time
        query_retries=0,
    )
