"""One house per module: a sink or a lifecycle left running would share the work of those that other tests kill."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.server import Server
from tests.support.house import House, Tenant, open_house


@pytest.fixture(scope="module")
def house(
    topics_ready: dict[str, str], clickhouse: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with open_house(topics_ready, clickhouse.url, tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="module")
def tenant(house: House) -> Tenant:
    return house.tenant()


@pytest.fixture(scope="module")
def stranger(house: House) -> Tenant:
    """Another project, whose key must open nothing of the first."""
    return house.tenant("stranger")
