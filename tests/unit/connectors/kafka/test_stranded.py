"""A client that knows no broker twice in a row is given its brokers back; one that cannot reach them is not."""

import json
from typing import Any

import pytest
from confluent_kafka import Consumer

from connectors.host.clock import SystemClock
from connectors.host.logs import configure
from connectors.host.settings import LogSettings
from connectors.kafka import offsets
from connectors.kafka.errors import KafkaError
from connectors.kafka.metrics import STRANDED
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.stranded import Lookout, knows_brokers, reaches_brokers, shown
from tests.support.processes import PATIENCE_S, wait_for

COORDINATOR = {"GroupCoordinator": ("logical", "UP")}
CONFIGURED = {"kafka:9092/bootstrap": ("configured", "DOWN")}
LEARNED = {"kafka-1:9092/1": ("learned", "DOWN"), "kafka:9092/bootstrap": ("configured", "INIT")}


def statistics(brokers: dict[str, tuple[str, str]]) -> str:
    shown = {name: {"name": name, "source": source, "state": state} for name, (source, state) in brokers.items()}
    return json.dumps({"name": "rdkafka#consumer-1", "brokers": shown, "topics": {"t": {"partitions": {}}}})


class TickingClock(SystemClock):
    """Goes on by 10 ms whenever somebody looks at it."""

    now_s = 0.0

    def monotonic(self) -> float:
        self.now_s += 0.01
        return self.now_s


class Client:
    """What was done for it, and how often."""

    def __init__(self, name: str) -> None:
        self.name, self.rescues = name, 0
        self.lookout = Lookout(name, self._rescue)

    def _rescue(self) -> None:
        self.rescues += 1

    def look(self, *looks: dict[str, tuple[str, str]]) -> None:
        for brokers in looks:
            self.lookout.look(statistics(brokers))

    @property
    def counted(self) -> int:
        return int(STRANDED.labels(self.name)._value.get())


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Client:
    return Client(request.node.name)


def test_one_that_knows_none_twice_is_given_them_back(client: Client) -> None:
    client.look(LEARNED, COORDINATOR)
    assert client.rescues == 0, "it may be about to begin again by itself"
    client.look({})
    assert (client.rescues, client.counted) == (1, 1)
    client.look(CONFIGURED, LEARNED)
    assert (client.rescues, client.counted) == (1, 1)


def test_it_is_tried_again_and_said_once(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    configure("api", LogSettings(format="json"))
    client.look(*[COORDINATOR] * 5)
    assert (client.rescues, client.counted) == (4, 1)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["client"] == client.name


def test_every_loss_counts(client: Client) -> None:
    client.look({}, {}, CONFIGURED, {}, {})
    assert (client.rescues, client.counted) == (2, 2)


def test_an_outage_is_none_however_long_it_lasts(client: Client) -> None:
    client.look(*[LEARNED | COORDINATOR, CONFIGURED] * 100)
    assert (client.rescues, client.counted) == (0, 0)


def test_one_that_knows_none_now_and_then_begins_again_by_itself(client: Client) -> None:
    client.look(*[{}, CONFIGURED] * 100)
    assert client.rescues == 0


def test_a_coordinator_is_no_broker_to_begin_with() -> None:
    assert not knows_brokers(statistics(COORDINATOR))
    assert knows_brokers(statistics(COORDINATOR | CONFIGURED))


def test_whether_a_broker_is_reached() -> None:
    assert not reaches_brokers(statistics(LEARNED))
    assert reaches_brokers(statistics(CONFIGURED | {"kafka-1:9092/1": ("learned", "UP")}))


@pytest.mark.parametrize(("brokers", "known"), [({}, False), ({"bootstrap.servers": "127.0.0.1:1"}, True)])
def test_the_library_shows_what_it_knows(brokers: dict[str, Any], known: bool) -> None:
    seen: list[bool] = []
    config = {"group.id": "g", "log_level": 0} | shown(0.05, lambda statistics: seen.append(knows_brokers(statistics)))
    consumer = Consumer(config | brokers)
    try:
        wait_for(lambda: consumer.poll(0.05) is None and len(seen) > 1, PATIENCE_S, lambda: "nothing was shown")
    finally:
        consumer.close()
    assert set(seen) == {known}


def test_a_directory_that_gets_no_answer_is_given_them_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(offsets, "give_back", lambda _client, brokers: given.append(brokers) or True)
    clock = TickingClock()
    directory = OffsetDirectory(KafkaSettings(bootstrap_servers="127.0.0.1:1"), clock)
    for now_s, count in ((0.0, 1), (offsets.RESCUE_S - 1, 1), (offsets.RESCUE_S, 2)):
        clock.now_s = now_s
        with pytest.raises(KafkaError):
            directory.ends([Place("t", 0)], 0.02)
        assert given == ["127.0.0.1:1"] * count
