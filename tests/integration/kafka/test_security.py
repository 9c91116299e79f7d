"""Every way in which a production Kafka is reached, with the clients of both libraries: ours and Faust's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.consumer import create_consumer
from connectors.kafka.errors import KafkaError
from connectors.kafka.oauth import NoToken, Tokens
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from deploy.local.server import Server
from schemas.topics import TRANSCRIPTS
from tests.integration.kafka.conftest import until
from tests.support.processes import running
from tests.support.secured_broker import WAYS, SecuredBroker, secured_broker
from tests.support.stack import run_module

PARTITIONS = 2


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    with secured_broker(tmp_path_factory.mktemp("secured") / "kafka") as broker:
        yield broker


@pytest.fixture(params=WAYS)
def env(request: pytest.FixtureRequest, broker: SecuredBroker, registry: Server) -> dict[str, str]:
    """The environment of a process that comes this way."""
    told = broker.settings(request.param) | {"registry_url": registry.url, "partitions": str(PARTITIONS)}
    return {f"RTMS_KAFKA_{name.upper()}": value for name, value in told.items()}


@pytest.fixture
def settings(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return KafkaSettings()


def test_our_clients_create_write_and_read(
    env: dict[str, str], settings: KafkaSettings, group: str, closing: Callable[[Any], Any]
) -> None:
    run_module("connectors.kafka", "topics", env=env)
    producer = closing(create_producer(settings, CONTROL))
    consumer = closing(create_consumer(settings, group=group, topics=[TRANSCRIPTS]))

    producer.send_blocking(TRANSCRIPTS, b"k", group.encode(), 0)

    until(lambda: any(record.value == group.encode() for record in consumer.consume()), "what was written")


def test_faust_consumes(env: dict[str, str], tmp_path: Path) -> None:
    run_module("connectors.kafka", "topics", env=env)

    with running(["-m", "processors", "participants"], env, tmp_path / "participants.log") as processor:  # once ready
        assert processor.exit_code() is None


def test_a_wrong_secret_opens_nothing(broker: SecuredBroker) -> None:
    told = broker.settings("scram") | {"sasl_password": "wrong"}

    with pytest.raises(KafkaError):
        OffsetDirectory(KafkaSettings(**told)).ends([Place(TRANSCRIPTS.name, 0)], 2.0)


def test_a_token_is_shared_until_it_is_nearly_over(broker: SecuredBroker) -> None:
    clock = _Clock()
    tokens = Tokens(KafkaSettings(**broker.settings("oauth")), clock)

    first = tokens.current()
    clock.now_s = broker.tokens.life_s * 0.7
    assert tokens.current() == first
    given, clock.now_s = broker.tokens.given, broker.tokens.life_s * 0.9
    tokens.current()

    assert broker.tokens.given == given + 1


def test_a_refused_client_learns_that_and_no_secret(broker: SecuredBroker) -> None:
    told = broker.settings("oauth") | {"oauth_client_secret": "not-this"}

    with pytest.raises(NoToken, match="401") as refused:
        Tokens(KafkaSettings(**told)).current()

    assert "not-this" not in str(refused.value)


class _Clock:
    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def now_ms(self) -> int:
        raise NotImplementedError

    now_us = now_ms
