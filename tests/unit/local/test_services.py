"""Every process of a stack gets addresses of that stack, in the words of the settings classes that read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import ApiSettings
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.configuration import read
from connectors.host.secrets import KeyRing
from connectors.host.settings import HealthSettings, LogSettings, SecretsSettings
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.rtms.settings import ZoomSettings
from connectors.webhooks.settings import WebhooksSettings
from deploy.local.credentials import Credentials
from deploy.local.services import SERVICES, Addresses, service_server, shared_environment
from ingest.settings import IngestSettings

ADDRESSES = Addresses(
    kafka="127.0.0.1:1111",
    registry_url="http://127.0.0.1:2222",
    clickhouse_url="http://127.0.0.1:3333",
    api_url="http://127.0.0.1:4444",
    objects=Path("/data/with space/objects"),
)
KEY_RING = KeyRing.generate()
CREDENTIALS = Credentials(admin_token="admin", key_ring=KEY_RING, signing_key="signing")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    environment = shared_environment(ADDRESSES, CREDENTIALS, partitions=8)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


def test_every_variable_is_one_that_a_settings_class_reads(environment: dict[str, str]) -> None:
    classes = (
        ApiSettings,
        ClickHouseSettings,
        IngestSettings,
        KafkaSettings,
        LogSettings,
        ObjectsSettings,
        SecretsSettings,
        WebhooksSettings,
        ZoomSettings,
    )
    known = {f"{c.model_config['env_prefix']}{field}".upper() for c in classes for field in c.model_fields}

    assert set(environment) <= known


def test_the_settings_classes_understand_what_they_are_told(environment: dict[str, str]) -> None:
    assert KafkaSettings().bootstrap_servers == ADDRESSES.kafka
    assert KafkaSettings().partitions == 8
    assert ClickHouseSettings().url == ADDRESSES.clickhouse_url
    assert ObjectsSettings().is_folder
    assert ApiSettings().base_url() == ADDRESSES.api_url
    assert ApiSettings().port == 4444
    assert read([SecretsSettings]).of(SecretsSettings).keys.get_secret_value() == KEY_RING


def test_zoom_and_the_simulated_zoom_may_be_reached_and_nobody_else(environment: dict[str, str]) -> None:
    addresses = ZoomSettings().addresses()

    assert addresses.permits("wss://rtms-sjc1.zoom.us:443")
    assert addresses.permits("ws://127.0.0.1:9999/x")
    assert not addresses.permits("wss://example.com")


def test_every_service_answers_on_a_port_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers = [service_server(service, port, {}, tmp_path) for port, service in enumerate(SERVICES, start=5000)]

    assert len({server.name for server in servers}) == len(SERVICES)
    for server in servers:
        monkeypatch.setenv("RTMS_HEALTH_PORT", server.program.env["RTMS_HEALTH_PORT"])
        assert HealthSettings().port == server.program.port
