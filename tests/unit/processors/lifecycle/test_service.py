"""A round of lifecycle's loop when its input is not what it was."""

from connectors.host.health import Health
from connectors.kafka.errors import OffsetOutOfRange
from connectors.kafka.records import BEGINNING, Place
from processors.lifecycle.service import Connections, Lifecycle
from processors.lifecycle.settings import LifecycleSettings
from schemas import topics

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


def test_facts_that_retention_took_are_passed_over_and_not_met_again_in_every_restart():
    consumer = OvertakenConsumer()
    lifecycle = Lifecycle(Connections(consumer, None, None, None), LifecycleSettings(), Health("lifecycle"), "id")
    lifecycle.step()
    lifecycle.step()
    assert consumer.sought == [(PLACE, BEGINNING)]
