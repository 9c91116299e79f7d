"""Lifecycle's start, when Kafka goes away in the middle of it."""

from typing import Any

import pytest

from connectors.host.configuration import read
from connectors.host.health import Health
from connectors.host.program import Running
from connectors.host.signals import StopSignal
from connectors.host.waiting import Waiting
from connectors.kafka.errors import TimedOut
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from processors.lifecycle import command
from processors.lifecycle.settings import LifecycleSettings


class Registered(Exception):
    """The start has come further."""


class Stranded(TransactionalProducer):
    """The first client lost its brokers while it asked: it is not given others any more."""

    made = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        Stranded.made += 1
        self._is_stranded, self._asked = Stranded.made == 1, 0

    def init(self, timeout_s: float = 60.0) -> None:
        self._asked += 1
        assert self._asked < 3, "the same client is asked again and again"
        if self._is_stranded:
            raise TimedOut("the process beats, and does nothing")


def test_a_client_that_lost_its_brokers_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def registered(*_: object) -> str:
        raise Registered

    health = Health("lifecycle")
    monkeypatch.setattr("connectors.host.waiting.RETRY_S", 0.01)
    monkeypatch.setattr(Stranded, "made", 0)
    monkeypatch.setattr(command, "TransactionalProducer", Stranded)
    monkeypatch.setattr(command, "await_registry", lambda *_: None)
    monkeypatch.setattr(command, "await_kafka", lambda *_: Waiting("kafka", health))
    monkeypatch.setattr(command, "topic_id", registered)
    with pytest.raises(Registered):
        command.run(Running(read((KafkaSettings, LifecycleSettings)), health, StopSignal()))
    assert Stranded.made == 2
