"""Starts the API: `python -m api`."""

from collections.abc import Callable
from functools import partial
from socket import socket

import uvicorn

from api.app import create_app
from api.connections import Configuration, open_services
from api.patience import MAX_MESSAGE_BYTES, Patience, PatientProtocol, PatientSocket
from api.services import Services
from api.settings import ApiSettings
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.clock import SystemClock
from connectors.host.configuration import NotConfigured
from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.host.settings import SecretsSettings
from connectors.host.signals import StopSignal
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.rtms.settings import ZoomSettings
from connectors.speech.settings import CustomAsyncSettings
from connectors.webhooks.settings import WebhooksSettings

log = get_logger(__name__)


def run(running: Running) -> int:
    """Answer until told to stop; 1 when it could not, or could not any more."""
    return 0 if serve(configuration(running), running.health, running.stop) else 1


def configuration(running: Running) -> Configuration:
    """All settings, and the schemas' ids from the registry, once that is there.

    Raises:
        NotConfigured, Stopped
    """
    of, objects = running.configured.of, running.configured.of(ObjectsSettings)
    if objects.is_folder and not objects.signing_key.get_secret_value():
        raise NotConfigured(
            "RTMS_OBJECTS_SIGNING_KEY is not set: recordings are in a folder, so set it to any text, the same for "
            "every replica, to sign their links"
        )
    kafka = of(KafkaSettings)
    decoder = await_registry(kafka, running.health, running.stop)
    await_kafka(kafka, running.health, running.stop)
    return Configuration(
        api=of(ApiSettings),
        kafka=kafka,
        clickhouse=of(ClickHouseSettings),
        objects=objects,
        zoom=of(ZoomSettings),
        webhooks=of(WebhooksSettings),
        custom_async=of(CustomAsyncSettings),
        key_ring=of(SecretsSettings).key_ring(),
        decoder=decoder,
        clock=SystemClock(),
    )


class _Server(uvicorn.Server):
    """Says that it is ready when it listens, which is later than its app is, and no longer when it is to stop."""

    def __init__(
        self, config: uvicorn.Config, health: Health, stop: StopSignal, on_stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._health, self._stop, self._on_stopping = health, stop, on_stopping
        self.is_broken = False
        health.ready(False, "not listening yet")

    def give_up(self) -> None:
        """Stop, because nothing can be recorded any more: a successor can."""
        self.is_broken = self.should_exit = True

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.should_exit |= self._stop.is_set()  # by a signal that came before the server took them over
        self._health.ready(self.started)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._health.ready(False, "stopping")
        self._on_stopping()
        await super().shutdown(sockets)


def serve(configured: Configuration, health: Health, stop: StopSignal) -> bool:
    """Answer requests until SIGTERM or SIGINT; those in flight are finished.

    False when it never got so far, and when it had to leave because its Kafka client is broken for good.
    """
    app = create_app(
        lambda: open_services(configured, health, lambda: server.give_up()),
        configured.clock,
        serves_objects=configured.objects.is_folder,
    )
    settings = configured.api
    patience = Patience(settings.receive_timeout_s, settings.send_timeout_s)

    def part() -> None:
        """Those who read live would otherwise be waited for."""
        services: Services | None = getattr(app.state, "services", None)
        if services is not None:
            services.feeds.part()

    server = _Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            http=partial(PatientProtocol, patience=patience),  # type: ignore[arg-type]
            ws=partial(PatientSocket, patience=patience),  # type: ignore[arg-type]
            ws_max_size=MAX_MESSAGE_BYTES,
            log_config=None,
            access_log=False,  # addresses of recordings hold their permission
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_grace_s,
        ),
        health,
        stop,
        part,
    )
    try:
        # It hands the signal back when it has stopped: to StopSignal, so that it does not end us as a failure.
        server.run()
    finally:
        log.info("stopped")
    return server.started and not server.is_broken
