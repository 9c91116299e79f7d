"""A round of lifecycle's loop when its input is not what it was."""

import pytest

from connectors.host.health import Health
from connectors.kafka.errors import OffsetOutOfRange, TimedOut
from connectors.kafka.records import BEGINNING, Place
from processors.lifecycle.service import Connections, Lifecycle
from processors.lifecycle.settings import LifecycleSettings
from schemas import topics
from tests.support.memory_losses import MemoryLosses

PLACE = Place(topics.SESSION_FACTS.name, 3)


class OvertakenConsumer:
    """Retention was faster, once."""

    def __init__(self):
        self.failures, self.sought = [OffsetOutOfRange(PLACE)], []

    def consume(self, *_, **__):
        if self.failures:
            raise self.failures.pop()
        return []

    def assignment(self):
        return frozenset({PLACE})

    def seek(self, place, offset):
        self.sought.append((place, offset))


def overtaken():
    consumer, losses = OvertakenConsumer(), MemoryLosses()
    connections = Connections(consumer, None, None, None, losses)
    return consumer, losses, Lifecycle(connections, LifecycleSettings(), Health("lifecycle"), "id")


def test_facts_that_retention_took_are_stated_as_lost_and_not_met_again_in_every_restart():
    consumer, losses, lifecycle = overtaken()
    lifecycle.step()
    lifecycle.step()
    assert losses.stated == [PLACE]
    assert consumer.sought == [(PLACE, BEGINNING)]


def test_a_loss_that_cannot_be_stated_is_not_passed_over():
    consumer, losses, lifecycle = overtaken()
    losses.errors = [TimedOut("away")]
    with pytest.raises(TimedOut):
        lifecycle.step()
    assert consumer.sought == []
