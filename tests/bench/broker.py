"""A real broker and registry for one group of measurements, with all topics."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.broker.broker import Broker, find_runtime
from deploy.local.registry.process import registry_server
from deploy.local.settings import LocalSettings
from tests.support.stack import run_module

PARTITIONS = 8


@contextmanager
def kafka_in(folder: Path) -> Iterator[dict[str, str]]:
    """The environment that points any of our processes at them; both are gone afterwards, with all data."""
    broker, registry = Broker(find_runtime(LocalSettings()), folder / "kafka"), registry_server(folder / "registry")
    try:
        broker.start()
        registry.start()
        env = {
            "RTMS_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "RTMS_KAFKA_REGISTRY_URL": registry.url,
            "RTMS_KAFKA_PARTITIONS": str(PARTITIONS),
        }
        run_module("connectors.kafka", "topics", env=env)
        yield env
    finally:
        registry.stop()
        broker.stop()
        shutil.rmtree(folder / "kafka" / "data", ignore_errors=True)
