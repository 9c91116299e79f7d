"""Which services a local stack runs and what their environment says: the only place where local addresses are set."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.local.credentials import Credentials
from deploy.local.ports import LOOPBACK
from deploy.local.server import Server
from deploy.local.unit import Program


class Service(NamedTuple):
    """One process of ours: its name everywhere, and the module with arguments that `python -m` runs."""

    name: str
    module: Sequence[str]


API = "api"
ZOOM_HOSTS = ("*.zoom.us", "localhost", LOOPBACK)

SERVICES = (
    Service("lifecycle", ("processors", "lifecycle")),
    Service("ingest", ("ingest",)),
    Service("participants", ("processors", "participants")),
    Service("transcription", ("processors", "transcription")),
    Service("muxing", ("processors", "muxing")),
    Service("sink-clickhouse", ("sinks", "clickhouse")),
    Service("sink-objects", ("sinks", "objects")),
    Service("sink-webhooks", ("sinks", "webhooks")),
    Service(API, ("api",)),
)

COMPOSING = Service("composing", ("processors", "composing"))
"""Runs only where somebody wants it."""


class Addresses(NamedTuple):
    """Where a running stack is reached, all on loopback."""

    kafka: str
    registry_url: str
    clickhouse_url: str
    api_url: str
    objects: Path


def shared_environment(addresses: Addresses, credentials: Credentials, partitions: int) -> dict[str, str]:
    """The settings that every process of the stack gets, jobs included."""
    return {
        "RTMS_KAFKA_BOOTSTRAP_SERVERS": addresses.kafka,
        "RTMS_KAFKA_REGISTRY_URL": addresses.registry_url,
        "RTMS_KAFKA_PARTITIONS": str(partitions),
        "RTMS_CLICKHOUSE_URL": addresses.clickhouse_url,
        "RTMS_OBJECTS_URL": addresses.objects.absolute().as_uri(),
        "RTMS_OBJECTS_SIGNING_KEY": credentials.signing_key,
        "RTMS_SECRETS_KEYS": credentials.key_ring,
        "RTMS_API_ADMIN_TOKEN": credentials.admin_token,
        "RTMS_API_HOST": LOOPBACK,
        "RTMS_API_PORT": addresses.api_url.rpartition(":")[2],
        "RTMS_API_PUBLIC_URL": addresses.api_url,
        # Zoom's servers, and the simulated Zoom of this machine.
        "RTMS_ZOOM_ALLOWED_HOSTS": ",".join(ZOOM_HOSTS),
        "RTMS_ZOOM_ALLOW_PLAINTEXT": "true",
        "RTMS_INGEST_ADDRESS": LOOPBACK,
        "RTMS_WEBHOOKS_ALLOW_LOOPBACK": "true",
        "RTMS_LOG_FORMAT": "console",
    }


def service_server(service: Service, health_port: int, shared: Mapping[str, str], logs: Path) -> Server:
    """One service, not yet started, that answers its probes on the given port."""
    program = Program(
        name=service.name,
        argv=(sys.executable, "-m", *service.module),
        port=health_port,
        log=logs / f"{service.name}.log",
        env={**shared, "RTMS_HEALTH_PORT": str(health_port), "RTMS_KAFKA_CLIENT_ID": service.name},
    )
    return Server(program, "/readyz")
