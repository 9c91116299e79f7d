"""A transactional producer that cannot register its id leaves nothing behind, and the next attempt owes it nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.kafka.errors import TimedOut
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from tests.support.mock_cluster import MockCluster, mock_cluster
from tests.support.processes import PATIENCE_S


class Remembered(TransactionalProducer):
    """Whose clients can be looked at afterwards."""

    made: list[Any]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.made.append(self._library)


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster() as running:
        yield running


def test_the_client_of_an_attempt_that_came_to_nothing_is_ended(cluster: MockCluster) -> None:
    """It would go on asking for its registration, and fence whoever has registered meanwhile."""
    settings, Remembered.made = KafkaSettings(bootstrap_servers=cluster.bootstrap), []
    cluster.go_away()
    with pytest.raises(TimedOut):
        Remembered.registered(settings, "lifecycle", 0.5)
    cluster.come_back()
    producer = Remembered.registered(settings, "lifecycle", PATIENCE_S)
    left, registered = Remembered.made
    with pytest.raises(RuntimeError, match="closed"):
        left.flush(0)
    registered.flush(0)
    producer.close()
