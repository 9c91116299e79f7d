"""Faust's consumer meets a broker that has only just started, and what becomes of who asked too early."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from connectors.kafka.settings import KafkaSettings
from processors.settings import ProcessorsSettings
from processors.shell import bootstrap
from processors.shell.bootstrap import PatientThread
from processors.shell.faust_app import create_app
from processors.shell.inputs import Inputs, Unattended
from tests.support.processes import PATIENCE_S
from tests.support.worker_bench import until
from tests.support.young_broker import NOT_ALLOWED, YoungBroker, young_broker


class Starting:
    """A processor's consumer on its way."""

    def __init__(self, broker: YoungBroker) -> None:
        settings = KafkaSettings(bootstrap_servers=f"127.0.0.1:{broker.port}")
        self.broker = broker
        self.app = create_app("toy", ProcessorsSettings(), settings)
        self.thread: PatientThread = self.app.consumer._thread
        self.inputs = Inputs(self.app)
        self.started = asyncio.create_task(self.thread.start())

    async def subscribe(self) -> None:
        await self.thread.call_thread(self._subscribe)

    async def looked_after(self) -> None:
        """As a worker does, without end."""
        while True:
            self.inputs.check()
            await asyncio.sleep(0.01)

    async def _subscribe(self) -> None:
        self.thread._consumer.subscribe(topics=["rtms.audio"])

    async def close(self) -> None:
        self.broker.grows_up()
        await self.started
        await self.thread.stop()


@pytest.fixture
async def starting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Starting]:
    monkeypatch.setattr(bootstrap, "RETRY_S", 0.05)
    async with young_broker() as broker:
        made = Starting(broker)
        yield made
        await made.close()


async def test_a_broker_that_knows_of_none_is_asked_again_until_it_does(starting: Starting) -> None:
    looking = asyncio.create_task(starting.looked_after())
    await until(lambda: starting.broker.asked >= 3 or starting.started.done())
    assert not starting.started.done()
    starting.broker.grows_up()
    await asyncio.wait_for(asyncio.shield(starting.started), PATIENCE_S)
    starting.inputs.check()
    assert not looking.done()
    looking.cancel()


async def test_a_member_that_the_group_does_not_take_is_told_of(starting: Starting) -> None:
    """aiokafka keeps why for whoever asks for records, and waits until somebody does; Faust asks its fetcher."""
    starting.broker.refuses_with = NOT_ALLOWED
    starting.broker.grows_up()
    await asyncio.wait_for(asyncio.shield(starting.started), PATIENCE_S)
    await starting.subscribe()
    with pytest.raises(Unattended, match="does not take this member"):
        await asyncio.wait_for(starting.looked_after(), PATIENCE_S)


async def test_a_membership_that_has_ended_is_told_of(starting: Starting, monkeypatch: pytest.MonkeyPatch) -> None:
    """aiokafka's ends like this where it finds no broker to ask; it says so in its log, and to nobody."""
    monkeypatch.setattr(PatientThread, "_require_brokers", lambda _: None)
    await asyncio.wait_for(asyncio.shield(starting.started), PATIENCE_S)
    starting.inputs.check()
    await starting.subscribe()
    with pytest.raises(Unattended, match="_coordination_routine has ended"):
        await asyncio.wait_for(starting.looked_after(), PATIENCE_S)
