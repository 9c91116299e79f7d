"""A worker that is no member any more knows it, whatever Kafka's client does then."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from connectors.host.health import Health
from connectors.kafka.errors import Fatal
from connectors.kafka.settings import KafkaSettings
from ingest import membership
from ingest.membership import Membership
from tests.support.processes import PATIENCE_S


class Broken:
    """A member that fails, and does not get out of its group."""

    def __init__(self) -> None:
        self.closing, self.may_close = threading.Event(), threading.Event()

    def consume(self) -> list[object]:
        raise Fatal("fenced")

    def close(self) -> None:
        self.closing.set()
        self.may_close.wait(2 * PATIENCE_S)


class Owner:
    """Who is told."""

    def __init__(self) -> None:
        self.broken = asyncio.Event()

    def on_broken(self, error: Exception) -> None:
        assert isinstance(error, Fatal)
        self.broken.set()


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broken]:
    made = Broken()
    monkeypatch.setattr(membership, "create_consumer", lambda *_, **__: made)
    yield made
    made.may_close.set()


async def test_that_it_has_failed_is_told_also_where_the_group_cannot_be_left(consumer: Broken) -> None:
    owner = Owner()
    Membership(KafkaSettings(), None, owner, Health("ingest"), 1.0).start()  # type: ignore[arg-type]
    assert await asyncio.to_thread(consumer.closing.wait, PATIENCE_S)
    async with asyncio.timeout(PATIENCE_S):
        await owner.broken.wait()
