"""One worker is cut off from Kafka, or from Zoom, and nobody else is: its meetings are connected again in time."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing
from typing import Any

import pytest

from connectors.rtms.simulator.rules import Rules
from connectors.rtms.simulator.server import ServerOptions, Simulator
from connectors.rtms.simulator.zoomclock import ZoomClock
from schemas import topics
from schemas.records import FactKind
from schemas.sessions import State
from tests.integration.ingest.conftest import House, check_envelope, wait_until
from tests.integration.ingest.taking_over import (
    BOTH,
    REPLACED_S,
    Held,
    begun,
    believed,
    check_holes,
    end,
    heard,
    holes_of,
    in_time,
    joined,
    let_go,
    now_ms,
    ready_again,
    taken_over,
)
from tests.support.processes import PATIENCE_S
from tests.support.relay import Relay
from tests.support.relayed_broker import RelayedBroker
from tests.support.stack import Log, open_whole_log

Simulate = Callable[..., Any]
WORKERS = ("one", "two")
UNREACHABLE = ("three", "four")
"""Workers that no other one can ask for anything."""

LEAVES_S = 13
"""Without Kafka, of these: longer than it takes a group to give a worker's partitions to another."""

ASKED_S = 35.0
"""From the cut to the next connection where Zoom refuses a second one, and the first one's worker can be asked."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("log")
    with (
        closing(RelayedBroker(folder / "kafka", (*WORKERS, *UNREACHABLE))) as broker,
        open_whole_log(folder, broker) as log,
    ):
        yield log


@pytest.fixture(scope="module")
def house(
    kafka: RelayedBroker, topics_ready: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Each worker has a network of its own."""
    made = House(topics_ready, tmp_path_factory.mktemp("cut_off"))
    try:
        made.lifecycle.launch()
        for name in UNREACHABLE:
            made.named(
                name,
                RTMS_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap_of(name),
                RTMS_INGEST_WITHOUT_KAFKA_S=str(LEAVES_S),
                RTMS_INGEST_ADDRESS="",
            )
        for name in WORKERS:
            made.worker(name, RTMS_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap_of(name))
        made.lifecycle.wait_ready()
        yield made
    finally:
        made.close()


async def check_told_once(house: House, held: Held) -> None:
    """To its end, with nothing twice and nothing missing that is not stated."""
    await house.until(held.session, State.POST_PROCESSING)
    media = believed(await asyncio.to_thread(house.media, held.session))
    check_envelope(media)
    got = heard(media["audio"])
    assert len(set(got)) == len(got), "nothing twice"
    check_holes(held.stream, media, await holes_of(house, held.session, "video", "share", "chat"))


async def test_a_worker_that_hears_nothing_of_kafka_lets_go_when_it_is_asked_to(
    house: House, simulate: Simulate, kafka: RelayedBroker
) -> None:
    """Where Zoom refuses a second connection, the second worker asks: the first one's stands, and would for long."""
    meetings = await begun(house, simulate, rules=BOTH)
    alone, network = house.workers[meetings[0].worker], kafka.relays[meetings[0].worker]
    since_ms = now_ms(meetings)
    network.fall_silent()
    try:
        for held in meetings:
            await taken_over(house, held, since_ms)
            took_s = (held.ready_ms - since_ms) / 1000
            print(f"{held.stream.rules.duplicate}: {took_s:.2f} s after the cut")
            assert took_s < (ASKED_S if held.is_refusing else REPLACED_S)
            assert held.stream.truth.complaints == []
        for held in meetings:
            assert len(held.connections) == 2, "they take it from each other"
        assert "told of a claim" in alone.log.read_text()
        assert alone.exit_code() is None, "it waits for Kafka to come back"
    finally:
        network.restore()
    await end(meetings)
    for held in meetings:
        await check_told_once(house, held)
    assert alone.exit_code() is None


async def test_a_worker_that_hears_nothing_of_anybody_is_replaced_or_leaves(
    house: House, simulate: Simulate, kafka: RelayedBroker
) -> None:
    """Where Zoom refuses a second connection, the first has to leave: it stands, its keep-alives are answered."""
    meetings = await begun(house, simulate, rules=BOTH, workers=UNREACHABLE)
    alone, network = house.workers[meetings[0].worker], kafka.relays[meetings[0].worker]
    since_ms = now_ms(meetings)
    network.fall_silent()
    try:
        for held in meetings:
            assert await taken_over(house, held, since_ms) < in_time(held)
            assert held.stream.truth.complaints == []
        for held in meetings:
            assert len(held.connections) == 2, "they take it from each other"
    finally:
        network.restore()
    await end(meetings)
    for held in meetings:
        await check_told_once(house, held)
    await wait_until(lambda: alone.exit_code() is not None, PATIENCE_S, lambda: "it does not leave")
    assert "without kafka for too long" in alone.log.read_text()
    await asyncio.to_thread(alone.stop)


async def test_a_worker_that_kafka_refuses_lets_go_when_it_is_let_in_again(
    house: House, simulate: Simulate, kafka: RelayedBroker
) -> None:
    meetings = await begun(house, simulate, rules=BOTH, workers=UNREACHABLE)
    alone, network = house.workers[meetings[0].worker], kafka.relays[meetings[0].worker]
    since_ms = now_ms(meetings)
    network.refuse()
    try:
        assert await taken_over(house, meetings[0], since_ms) < in_time(meetings[0])
    finally:
        network.restore()
    for held in meetings:
        await let_go(house, alone, held)
    assert await taken_over(house, meetings[1], since_ms) < in_time(meetings[1])
    await end(meetings)
    for held in meetings:
        await check_told_once(house, held)
    assert alone.exit_code() is None


class Behind(Simulator):
    """A simulated Zoom that is reached over a relay."""

    relay: Relay | None = None

    @property
    def url(self) -> str:
        return super().url if self.relay is None else f"ws://127.0.0.1:{self.relay.port}"

    async def over_a_relay(self) -> "Behind":
        self.relay = Relay(int(super().url.rpartition(":")[2]))
        return self


async def test_a_worker_whose_sockets_to_zoom_fall_silent_opens_others(house: House) -> None:
    """Nothing tells it that nothing comes any more: it has to ask."""
    await asyncio.to_thread(house.read_everything)
    await asyncio.to_thread(house.only, *WORKERS)
    async with AsyncExitStack() as stack:
        simulators = [await _behind(stack, rules) for rules in BOTH]
        meetings = await joined(house, simulators)
        since_ms = now_ms(meetings)
        for each in simulators:
            assert each.relay is not None
            each.relay.strand()
        for held in meetings:
            took_s = await ready_again(house, held, since_ms)
            print(f"{held.stream.rules.duplicate}: connected again in {took_s:.2f} s")
            assert took_s < in_time(held)
        await end(meetings)
        for held in meetings:
            await check_told_once(house, held)
            assert house.states[held.session].epoch == held.state.epoch, "it kept them"
            facts = await asyncio.to_thread(house.records, topics.SESSION_FACTS, held.session)
            assert {fact.source for fact in facts if fact.kind is FactKind.HOLE_FOUND} == {"ingest"}


async def _behind(stack: AsyncExitStack, rules: Rules) -> Behind:
    simulator = await stack.enter_async_context(Behind(ServerOptions(rules=rules), ZoomClock()))
    made = await simulator.over_a_relay()
    assert made.relay is not None
    stack.callback(made.relay.close)
    return made
