"""One house for all modules: what they do is apart by projects, and who stops a process starts it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.broker.broker import Broker
from deploy.local.clickhouse.process import clickhouse_server
from deploy.local.server import Server
from tests.support.house import PATIENT, House, Tenant, open_house
from tests.support.sharing import Shared
from tests.support.stack import kafka_environment, open_server, open_whole_log


@dataclass(frozen=True)
class Home:
    """The house and what it stands on."""

    house: House
    broker: Broker
    clickhouse: Server
    kafka_env: dict[str, str]


@contextmanager
def open_home(folder: Path, **given: str) -> Iterator[Home]:
    """A home of its own, with settings as given."""
    with (
        open_whole_log(folder) as log,
        open_server(clickhouse_server(folder / "clickhouse")) as clickhouse,
    ):
        env = kafka_environment(*log)
        with open_house(PATIENT | env | given, clickhouse.url, folder) as house:
            yield Home(house, log.broker, clickhouse, env)


HOME = Shared(open_home)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    HOME.close_after(item, nextitem)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return HOME.get(tmp_path_factory)


@pytest.fixture(scope="module")
def house(home: Home) -> House:
    return home.house


@pytest.fixture(scope="module")
def kafka(home: Home) -> Broker:
    return home.broker


@pytest.fixture(scope="module")
def clickhouse(home: Home) -> Server:
    return home.clickhouse


@pytest.fixture(scope="module")
def topics_ready(home: Home) -> dict[str, str]:
    return home.kafka_env


@pytest.fixture(scope="module")
def tenant(house: House) -> Tenant:
    return house.tenant()


@pytest.fixture(scope="module")
def stranger(house: House) -> Tenant:
    """Another project, whose key must open nothing of the first."""
    return house.tenant("stranger")
