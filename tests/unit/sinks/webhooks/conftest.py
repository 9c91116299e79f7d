"""An announcer and a deliverer over one log, and whom they tell."""

import pytest

from tests.support.receiver import receiving
from tests.unit.sinks.webhooks.test_delivering import Town


@pytest.fixture
def receiver():
    with receiving() as listening:
        yield listening


@pytest.fixture
def town(receiver):
    made = Town(receiver.url)
    yield made
    made.posting.close()
