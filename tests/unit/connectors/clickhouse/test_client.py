"""Who waits for ClickHouse waits alone."""

import asyncio
import threading
from typing import Any

import pytest

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from tests.support.processes import PATIENCE_S

MORE_THAN_THREADS = 40


async def test_a_server_that_hangs_has_none_of_the_threads_that_everybody_shares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Recordings were not served, and what is new on Kafka not asked for, while lists waited for ClickHouse."""
    answers = threading.Event()

    def hang(*_arguments: Any) -> list[Any]:
        answers.wait(2 * PATIENCE_S)
        return []

    monkeypatch.setattr(ClickHouse, "_call", hang)
    clickhouse = ClickHouse(ClickHouseSettings())
    waiting = [asyncio.create_task(clickhouse.query_async("SELECT 1")) for _ in range(MORE_THAN_THREADS)]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.to_thread(lambda: "served") == "served"
    finally:
        answers.set()
        await asyncio.gather(*waiting)
