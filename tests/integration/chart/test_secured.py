"""The chart's ways of naming certificates and passwords open a real broker that wants them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.server import Server
from tests.support.chart import SMALLEST, merged, missing_helm, render
from tests.support.podless import Release
from tests.support.secured_broker import PASSWORD, SecuredBroker, secured_broker
from tests.support.tokens import SECRET

CERTIFICATES = {"ssl_ca_location", "ssl_certificate_location", "ssl_key_location"}
PASSWORDS = {"sasl_password", "oauth_client_secret"}
WAYS: dict[str, dict[str, Any]] = {
    "mtls": {"tls": {"kafka": {"existingSecret": "kafka", "certificateKey": "user.crt", "privateKeyKey": "user.key"}}},
    "scram": {
        "tls": {"kafka": {"existingSecret": "kafka"}},
        "secretRefs": {"kafka": {"sasl_password": {"existingSecret": "kafka"}}},
    },
    "oauth": {
        "tls": {"kafka": {"existingSecret": "kafka"}},
        "secretRefs": {"kafka": {"oauth_client_secret": {"existingSecret": "kafka"}}},
    },
}

pytestmark = pytest.mark.skipif(bool(missing_helm()), reason=missing_helm())


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    with secured_broker(tmp_path_factory.mktemp("secured") / "kafka") as broker:
        yield broker


@pytest.mark.parametrize("way", WAYS)
def test_the_job_gets_in(way: str, broker: SecuredBroker, registry: Server, clickhouse: Server, tmp_path: Path) -> None:
    told = broker.settings(way)
    certificate, key = broker.authority.issue("client")
    held = {
        "ca.crt": broker.authority.file.read_text(),
        "user.crt": certificate.read_text(),
        "user.key": key.read_text(),
        "password": PASSWORD,
        "client-secret": SECRET,
    }
    config = {
        "kafka": {name: value for name, value in told.items() if name not in CERTIFICATES | PASSWORDS}
        | {"registry_url": registry.url, "partitions": 3, "replication_factor": 1},
        "clickhouse": {"url": clickhouse.url},
    }
    manifests = render(values=merged(merged(SMALLEST, WAYS[way]), {"config": config}))

    with Release(manifests, {"kafka": held, "rtms": {}}, tmp_path) as release:
        assert "session-facts" in release.run("setup")
