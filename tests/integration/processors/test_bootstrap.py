"""Faust is started while the broker is away: it waits, and it ends at once when it is told to."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from faust.contrib.asgi import bind_to_running_loop
from faust.types import Message

from connectors.kafka.producer import CONTROL, create_producer
from deploy.local.broker.broker import Broker
from processors.settings import ProcessorsSettings
from processors.shell.faust_app import ProcessorApp, add_agent, create_app
from schemas import topics
from tests.support.settings import kafka_settings

PATIENCE_S = 60


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.05)


@pytest.fixture
async def app(topics_ready: dict[str, str], kafka: Broker) -> AsyncIterator[ProcessorApp]:
    made = create_app(f"test-{uuid.uuid4().hex[:8]}", ProcessorsSettings(), kafka_settings(topics_ready))
    yield made
    if kafka.exit_code() is not None:
        await asyncio.to_thread(kafka.start)


async def started_without_a_broker(app: ProcessorApp, kafka: Broker) -> "asyncio.Task[Any]":
    """Returns when Faust has found nobody at least twice."""
    await asyncio.to_thread(kafka.stop)
    bind_to_running_loop(app)
    app.finalize()
    starting = asyncio.create_task(app.start())
    consumers: list[object] = []

    def tried_again() -> bool:
        assert not starting.done()
        consumer = getattr(getattr(app.consumer, "_thread", None), "_consumer", None)
        if consumer not in consumers:
            consumers.append(consumer)
        return len(consumers) > 3

    await until(tried_again)
    return starting


async def test_records_flow_once_it_is_back(app: ProcessorApp, kafka: Broker, topics_ready: dict[str, str]) -> None:
    values: list[bytes | None] = []

    async def take(message: Message) -> None:
        values.append(message.value)

    producer = create_producer(kafka_settings(topics_ready), CONTROL)
    add_agent(app, (topics.EVENTS.name,), take)
    starting = await started_without_a_broker(app, kafka)
    await asyncio.to_thread(kafka.start)
    await starting
    await asyncio.to_thread(producer.send_blocking, topics.EVENTS, b"k", b"v", 0)
    await until(lambda: values)
    await app.stop()
    producer.close()
    assert values == [b"v"]
    assert not app.crashed


async def test_a_stop_is_not_held_up(app: ProcessorApp, kafka: Broker) -> None:
    starting = await started_without_a_broker(app, kafka)
    async with asyncio.timeout(PATIENCE_S):
        await app.stop()
        await asyncio.gather(starting, return_exceptions=True)
    assert not app.crashed
