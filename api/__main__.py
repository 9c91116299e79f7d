"""`python -m api`: App Sessions over REST. Settings come from RTMS_* variables; see `--help`."""

import argparse
import sys
from functools import partial
from socket import socket

import uvicorn
from pydantic import ValidationError

from api.app import create_app
from api.connections import Configuration, open_services
from api.patience import Patience, PatientProtocol
from api.settings import ApiSettings
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.clock import SystemClock
from connectors.host.health import Health
from connectors.host.logs import configure, get_logger
from connectors.host.secrets import KeyRing, SecretsError
from connectors.host.settings import SecretsSettings
from connectors.host.signals import StopSignal
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import KafkaError
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.rtms.settings import ZoomSettings
from connectors.webhooks.settings import WebhooksSettings

SERVICE = "api"

log = get_logger(__name__)


class NotConfigured(Exception):
    """Something that only an operator can set is missing."""


def _parser() -> argparse.ArgumentParser:
    settings = "\n".join(
        f"  RTMS_API_{name.upper():24}{field.description or ''} (default: {field.default!r})"
        for name, field in ApiSettings.model_fields.items()
    )
    return argparse.ArgumentParser(
        prog="python -m api",
        description=__doc__,
        epilog=f"environment:\n{settings}\n  RTMS_SECRETS_KEYS, RTMS_OBJECTS_*, RTMS_KAFKA_*, RTMS_CLICKHOUSE_*, "
        "RTMS_HEALTH_*, RTMS_LOG_*,\n"
        "  RTMS_WEBHOOKS_ALLOW_LOOPBACK (receivers on this machine, as for sinks webhooks),\n"
        "  RTMS_ZOOM_ALLOWED_HOSTS and RTMS_ZOOM_ALLOW_PLAINTEXT (where streams may be, as for ingest)\n\n"
        "The OpenAPI document is at /openapi.json, a page to try it at /docs.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def configuration() -> Configuration:
    """All settings, and the schemas' ids from the registry.

    Raises:
        NotConfigured, ValidationError, SecretsError, KafkaError: the text names the remedy.
    """
    kafka, objects = KafkaSettings(), ObjectsSettings()
    if objects.is_folder and not objects.signing_key.get_secret_value():
        raise NotConfigured("recordings are in a folder, so RTMS_OBJECTS_SIGNING_KEY must be set to sign their links")
    return Configuration(
        api=ApiSettings(),
        kafka=kafka,
        clickhouse=ClickHouseSettings(),
        objects=objects,
        zoom=ZoomSettings(),
        webhooks=WebhooksSettings(),
        key_ring=KeyRing(SecretsSettings().key_list()),
        decoder=Decoder.from_settings(kafka),
        clock=SystemClock(),
    )


def _reason(error: Exception) -> str:
    """What to do about it, without the values: some of them are secrets."""
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{error.title}.{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())


class _Server(uvicorn.Server):
    """Says that it is ready when it listens, which is later than its app is, and no longer when it is to stop."""

    def __init__(self, config: uvicorn.Config, health: Health) -> None:
        super().__init__(config)
        self._health = health
        self.is_broken = False
        health.ready(False, "not listening yet")

    def give_up(self) -> None:
        """Stop, because nothing can be recorded any more: a successor can."""
        self.is_broken = self.should_exit = True

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._health.ready(self.started)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._health.ready(False, "stopping")
        await super().shutdown(sockets)


def serve(configured: Configuration) -> bool:
    """Answer requests until SIGTERM or SIGINT; those in flight are finished.

    False when it never got so far, and when it had to leave because its Kafka client is broken for good.
    """
    StopSignal().install()  # uvicorn hands the signal back when it has stopped, which must not end us as a failure
    health = Health(SERVICE)
    health.start()
    app = create_app(
        lambda: open_services(configured, health, lambda: server.give_up()),
        configured.clock,
        serves_objects=configured.objects.is_folder,
    )
    settings = configured.api
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            http=partial(PatientProtocol, patience=Patience(settings.receive_timeout_s, settings.send_timeout_s)),  # type: ignore[arg-type]
            ws="none",
            log_config=None,
            access_log=False,  # addresses of recordings hold their permission
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_grace_s,
        ),
        health,
    )
    try:
        server.run()
    finally:
        health.stop()
        log.info("stopped")
    return server.started and not server.is_broken


def main() -> int:
    """The exit status: 0 stopped when told to, 1 could not serve (any more), 2 not configured or no registry."""
    _parser().parse_args()
    configure(SERVICE)
    try:
        configured = configuration()
    except (NotConfigured, ValidationError, SecretsError, KafkaError) as error:
        log.error("cannot start", reason=_reason(error))
        return 2
    return 0 if serve(configured) else 1


if __name__ == "__main__":
    sys.exit(main())
