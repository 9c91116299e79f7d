"""The Zoom apps' credentials, as the control plane has them now; decrypted only when a stream is joined."""

import asyncio
import threading
from typing import NamedTuple, Self

from connectors.host.logs import get_logger
from connectors.host.secrets import KeyRing, SecretsError
from connectors.host.waiting import Waiting
from connectors.kafka.decoder import Decoder
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from ingest import metrics
from ingest.refusals import NoCredentials
from schemas import topics
from schemas.codec import Undecodable
from schemas.keys import keyed
from schemas.records import ZoomApp

log = get_logger(__name__)

READY_TIMEOUT_S = 5.0
CATCH_UP_TIMEOUT_S = 2.0
AGAIN_S = 1.0


class AppCredentials(NamedTuple):
    """What signs a handshake."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"AppCredentials({self.client_id})"


class ZoomCredentials:
    """A view of the `zoom-apps` topic."""

    def __init__(self, kafka: KafkaSettings, decoder: Decoder, key_ring: KeyRing) -> None:
        self._decoder, self._key_ring = decoder, key_ring
        self._apps: dict[str, ZoomApp] = {}
        self._closing = threading.Event()
        self._view = TopicView(kafka, topics.ZOOM_APPS, self._apply)

    def start(self) -> Self:
        self._view.start()
        return self

    async def wait_ready(self, waiting: Waiting) -> None:
        """Return once everything that was in the topic has been read; `waiting` is for Kafka."""
        while not await self._view.wait_to_end_async(READY_TIMEOUT_S):
            waiting.begin(self, "the zoom apps are not read yet")
        waiting.end(self)

    async def of(self, zoom_app_id: str) -> AppCredentials:
        """The credentials, waiting until all that stands in the topic now has been read if they are not known.

        Raises:
            NoCredentials: there is no such app, or the key that encrypted its secret has left the key ring.
        """
        while zoom_app_id not in self._apps and not await self._is_all_read():  # noqa: ASYNC110  that waits, too
            await asyncio.sleep(AGAIN_S)
        app = self._apps.get(zoom_app_id)
        if app is None:
            raise NoCredentials("no such zoom app")
        try:
            return AppCredentials(app.client_id, self._key_ring.decrypt(app.client_secret_encrypted))
        except SecretsError as error:
            raise NoCredentials("no key for the app's secret") from error

    async def _is_all_read(self) -> bool:
        return await self._view.wait_to_end_async(CATCH_UP_TIMEOUT_S)

    def close(self) -> None:
        self._closing.set()
        self._view.close()

    def _apply(self, record: Record) -> None:
        zoom_app_id = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._apps.pop(zoom_app_id, None)
            return
        try:
            app = self._decoder.decode_patiently(topics.ZOOM_APPS, record.value, self._closing.wait)
            if isinstance(app, ZoomApp):  # else we are closing
                self._apps[zoom_app_id] = keyed(record.key, app)
        except Undecodable as error:
            metrics.UNREADABLE.labels(topics.ZOOM_APPS.name).inc()
            log.error("zoom app skipped", offset=record.offset, reason=error.reason)
