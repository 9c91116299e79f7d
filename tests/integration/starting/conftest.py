"""Every service at once, what each says of itself, and an infrastructure that comes and goes."""

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.kafka.registry import RegistryClient
from deploy.local.server import Server
from schemas import topics
from schemas.codec import Codec, schema_text
from tests.integration.edges.conftest import Street
from tests.support.processes import wait_for
from tests.support.stack import Log, kafka_environment, open_log, run_module

PARTITIONS = 2
POLL_INTERVAL_S = 10.0
PATIENCE_S = 120.0
"""All services start at once here."""

DATABASE = "starting"


class Quarter(Street):
    """The street, and what is to be read about its services."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        super().__init__(env, folder)
        self.folder = folder

    def status(self, name: str, probe: str) -> tuple[int, dict[str, Any]]:
        answer = httpx.get(f"{self.services[name].url}/{probe}", trust_env=False, verify=False, timeout=PATIENCE_S)
        return answer.status_code, answer.json()

    def waits_for(self, name: str) -> set[str]:
        """What a service says it waits for; it must be alive and not ready meanwhile."""
        try:
            live, (ready, report) = self.status(name, "livez")[0], self.status(name, "readyz")
        except httpx.TransportError:
            assert self.services[name].exit_code() is None, f"{name} ended: {self.services[name].log.read_text()}"
            return set()
        found = {
            what for what, one in report["conditions"].items() if one["reason"].startswith(f"waiting for {what} at ")
        }
        assert live == 200, f"{name} is not alive"
        assert ready == 503 or not found, f"{name} is ready and waits for {found}"
        return found

    def until_waiting(self, what: str, *names: str) -> None:
        for name in names:
            wait_for(lambda name=name: what in self.waits_for(name), PATIENCE_S,
                     lambda name=name: f"{name} does not wait for {what}: {self.log(name)[-2000:]}")  # fmt: skip

    def until_beating(self, *names: str) -> None:
        """Each gets round once more, whatever it does: who only lives because it began a minute ago does not."""
        since_s = time.monotonic()

        def has_beaten(name: str) -> bool:
            asked_s = time.monotonic()
            return float(self.status(name, "livez")[1]["beat_age_s"]) < asked_s - since_s

        for name in names:
            wait_for(lambda name=name: has_beaten(name), PATIENCE_S, lambda name=name: f"{name} does not beat")

    def log(self, name: str) -> str:
        return self.services[name].log.read_text()

    def said(self, name: str, event: str) -> list[str]:
        """What the lines of the log with this event are about, in order."""
        lines = [json.loads(line) for line in self.log(name).splitlines() if line.startswith("{")]
        return [line["what"] for line in lines if line["event"] == event]

    def waited_for(self, name: str) -> list[str]:
        """What a service has said that it waits for, and not that it is there."""
        left = Counter(self.said(name, "waiting")) - Counter(self.said(name, "no longer waiting"))
        return list(left.elements())

    def forget_logs(self) -> None:
        for each in self.services.values():
            each.log.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    with open_log(tmp_path_factory.mktemp("log")) as log:
        yield log


@pytest.fixture(scope="module")
def quarter(log: Log, clickhouse: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarter]:
    folder = tmp_path_factory.mktemp("starting")
    env = kafka_environment(*log) | {
        "RTMS_KAFKA_PARTITIONS": str(PARTITIONS),
        "RTMS_KAFKA_MAX_POLL_INTERVAL_MS": str(round(POLL_INTERVAL_S * 1000)),
        "RTMS_KAFKA_SESSION_TIMEOUT_MS": str(round(POLL_INTERVAL_S * 1000)),
        "RTMS_CLICKHOUSE_URL": clickhouse.url,
        "RTMS_CLICKHOUSE_DATABASE": DATABASE,
    }
    run_module("connectors.kafka", "topics", env=env)
    run_module("connectors.clickhouse", "tables", env=env)
    made = Quarter(env, folder)
    try:
        yield made
    finally:
        for each in made.services.values():
            each.kill()
        made.producer.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def other_release(quarter: Quarter) -> Codec:
    """What another release writes: the same records under schemas with ids of their own, which services look up."""
    client = RegistryClient.from_settings(quarter.kafka)
    try:
        return Codec({topic.name: client.register(f"other-{topic.name}", _renamed(topic)) for topic in topics.ALL})
    finally:
        client.close()


def _renamed(topic: topics.Topic) -> str:
    """Another text, so another id, that says the same."""
    return json.dumps(json.loads(schema_text(topic.schema)) | {"doc": "another release"})
