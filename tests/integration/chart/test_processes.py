"""The rendered chart as processes on the real Kafka and ClickHouse: its job, its workloads, its test, its end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from connectors.host.secrets import KeyRing
from deploy.local.server import Server
from scripts.chart.__main__ import CHART, workloads
from tests.support.chart import missing_helm, render
from tests.support.podless import Release

RUNNING = [name for name, facts in workloads().items() if "args" in facts]
pytestmark = pytest.mark.skipif(bool(missing_helm()), reason=missing_helm())


@pytest.fixture(scope="module")
def release(
    kafka_env: dict[str, str], clickhouse: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Release]:
    """The laptop's values, with the addresses of this machine."""
    folder = tmp_path_factory.mktemp("release")
    values = {
        "config": {
            "kafka": {
                "bootstrap_servers": kafka_env["RTMS_KAFKA_BOOTSTRAP_SERVERS"],
                "registry_url": kafka_env["RTMS_KAFKA_REGISTRY_URL"],
            },
            "clickhouse": {"url": clickhouse.url, "database": "chart"},
            "objects": {"url": (folder / "objects").as_uri()},
        }
    }
    held = {"keys": KeyRing.generate(), "admin-token": secrets.token_urlsafe(), "signing-key": secrets.token_urlsafe()}
    manifests = render(CHART / "examples" / "laptop.yaml", values=values)
    with Release(manifests, {"rtms": held}, folder) as release:
        yield release


def test_the_job_the_workloads_the_test_and_the_end(release: Release) -> None:
    assert "created" in release.run("setup")
    for name in RUNNING:
        release.start(name)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for name in RUNNING:
            release.await_probe(name, probe, budget_s=60)

    assert release.run("check").endswith("200\n")
    assert "created" not in release.run("setup"), "an upgrade's job finds everything there"

    assert {name: release.terminate(name) for name in RUNNING} == dict.fromkeys(RUNNING, 0)
