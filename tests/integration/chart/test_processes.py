"""The rendered chart as processes on the real Kafka and ClickHouse: job, workloads, a meeting, check and end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.host.secrets import KeyRing
from connectors.rtms.simulator.film import FilmFormat, PictureCodec, Subject
from connectors.rtms.simulator.meeting import Formats, Meeting
from connectors.rtms.simulator.rules import Credentials
from connectors.rtms.simulator.sound import BEEP_HZ, BEEP_MS
from deploy.local.asking import answered
from deploy.local.demo.customer import Customer
from deploy.local.demo.recording import measure
from deploy.local.demo.zoom import SimulatedZoom
from deploy.local.ports import LOOPBACK
from deploy.local.project import Project, simulated_project
from deploy.local.server import Server
from deploy.local.settings import LocalSettings
from scripts.chart.documents import CHART, workloads
from tests.support.chart import missing_helm, render
from tests.support.muxed import decoded
from tests.support.podless import Release
from tests.support.processes import wait_for
from tests.support.secured_broker import PASSWORD, SecuredBroker, secured_broker

RUNNING = [name for name, facts in workloads().items() if "args" in facts]
ADMIN_TOKEN = secrets.token_urlsafe()
MEETING_S = 20
SEED = 1
ENCODED = {"audio": {"codec": "opus"}, "video": {"codec": "jpg", "fps": 5}, "share": {"codec": "jpg"}}
FILMS = Formats(
    video=FilmFormat(Subject.CAMERA, PictureCodec.JPG, 5), share=FilmFormat(Subject.SHARE, PictureCodec.JPG, 1)
)
ELSEWHERE = {"ssl_ca_location", "sasl_password"}

pytestmark = pytest.mark.skipif(bool(missing_helm()), reason=missing_helm())


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """It lets the chart's user do what the chart's KafkaUser asks for, and nothing else."""
    with secured_broker(tmp_path_factory.mktemp("guarded") / "kafka", guarded=True) as broker:
        yield broker


@pytest.fixture(scope="module")
def release(
    broker: SecuredBroker, registry: Server, clickhouse: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Release]:
    """The laptop's values with every workload, by SCRAM over TLS, with the addresses of this machine and of the
    simulated Zoom."""
    folder = tmp_path_factory.mktemp("release")
    told = {name: value for name, value in broker.settings("scram").items() if name not in ELSEWHERE}
    values = {
        "config": {
            "kafka": told | {"registry_url": registry.url},
            "clickhouse": {"url": clickhouse.url, "database": "chart"},
            "objects": {"url": (folder / "objects").as_uri()},
            "zoom": {"allowed_hosts": LOOPBACK, "allow_plaintext": True},
            "api": {"composed_views": True},
        },
        "workloads": {"processor-composing": {"enabled": True}},
        "secretRefs": {"kafka": {"sasl_password": {"existingSecret": "kafka"}}},
        "tls": {"kafka": {"existingSecret": "kafka"}},
        "strimzi": {"cluster": "kafka", "user": True},
    }
    held = {
        "rtms": {"keys": KeyRing.generate(), "admin-token": ADMIN_TOKEN, "signing-key": secrets.token_urlsafe()},
        "kafka": {"ca.crt": broker.authority.file.read_text(), "password": PASSWORD},
    }
    manifests = render(CHART / "examples" / "laptop.yaml", values=values)
    (user,) = [manifest for manifest in manifests if manifest["kind"] == "KafkaUser"]
    broker.allow(user["spec"]["authorization"]["acls"])
    with Release(manifests, held, folder) as release:
        yield release


@pytest.mark.timeout(1800)
def test_job_workloads_meeting_check_and_end(release: Release, tmp_path: Path) -> None:
    assert "created" in release.run("setup")
    for name in RUNNING:
        release.start(name)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for name in RUNNING:
            release.await_probe(name, probe, budget_s=180)
    for name in RUNNING:
        assert 'rtms_kafka_brokers_up{client="' in metrics(release, name), "by which an alert knows that it runs"

    run_meeting(f"http://{LOOPBACK}:{release.ports['api']['http']}", tmp_path)

    assert release.run("check").endswith("200\n")
    assert "created" not in release.run("setup"), "an upgrade's job finds everything there"
    assert {name: release.terminate(name) for name in RUNNING} == dict.fromkeys(RUNNING, 0)


def metrics(release: Release, name: str) -> str:
    url = f"http://{LOOPBACK}:{release.ports[name]['health']}/metrics"
    return httpx.get(url, timeout=60, trust_env=False, verify=False).raise_for_status().text


def run_meeting(api_url: str, folder: Path) -> None:
    """From Zoom's webhook to a whole recording. A film that is only made in the meeting has everything sent late."""
    Meeting.build(SEED, MEETING_S).prepare(FILMS)
    project = simulated_project(api_url, ADMIN_TOKEN, LocalSettings(run_dir=folder))
    customer = Customer(api_url, project.api_key, Credentials().webhook_secret, {"rtms_settings": ENCODED})
    try:
        with SimulatedZoom(customer.url, folder / "zoom.log", seed=SEED, seconds=MEETING_S) as zoom:
            zoom.start_meeting()
            session = str(customer.session(timeout_s=90)["id"])
            wait_for(
                lambda: state(api_url, project, session)["state"] in ("ended", "fatal_error"), 180, lambda: session
            )
    finally:
        customer.close()
    found = state(api_url, project, session)
    assert (found["state"], found["recording_state"]) == ("ended", "complete")
    link = httpx.URL(told(api_url, project, f"{session}/media")["url"])  # of an ingress that is not there
    watch(f"{api_url}{link.raw_path.decode()}", folder / "recording.mp4")


def watch(url: str, file: Path) -> None:
    """What Zoom sent as Opus and JPGs, as anybody's player has it."""
    file.write_bytes(httpx.get(url, timeout=60, trust_env=False, verify=False).raise_for_status().content)
    seen = decoded(file)
    assert seen.errors == []
    assert len(seen.audio) / 48_000 > MEETING_S - 4
    assert len({luma.tobytes() for luma in seen.lumas}) > MEETING_S
    measured = measure(file, BEEP_HZ, BEEP_MS)
    assert len(measured.offsets_ms) == len(measured.flashes_s) >= 2
    assert max(map(abs, measured.offsets_ms)) <= 5


def state(api_url: str, project: Project, session: str) -> dict[str, Any]:
    return told(api_url, project, session)


def told(api_url: str, project: Project, what: str) -> dict[str, Any]:
    """What the API says, asked again as long as it wants to be: its views may be behind on a busy machine."""
    url, headers = f"{api_url}/api/v1/app_sessions/{what}", {"Authorization": f"Token {project.api_key}"}
    answer = answered(lambda: httpx.get(url, headers=headers, timeout=60, trust_env=False, verify=False), 180)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found
