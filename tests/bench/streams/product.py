"""Our side: a connector worker's own code from the socket to Kafka, with production settings, in one process.

Everything of `python -m ingest` but the claiming: each session is handed over as a claimed one, runs through both of
Zoom's handshakes and publishes with the producers of a worker. Settings come from the environment, as a worker's do.
"""

import asyncio
import uuid
from collections.abc import Sequence
from itertools import count

from prometheus_client import REGISTRY

from connectors.host.clock import SystemClock
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, MEDIA, TEXT, VIDEO, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.rtms.settings import ZoomSettings
from ingest.contact import Contact
from ingest.credentials import AppCredentials
from ingest.facts import Facts
from ingest.live import LiveSession, Surroundings
from ingest.publisher import Identity, Publisher
from ingest.sessions import session_factory
from ingest.settings import IngestSettings
from schemas import settings as session_settings
from schemas import topics
from schemas.ids import partition_of, session_id
from schemas.records import AppSession, FactKind, SessionFact, StreamRequest
from schemas.sessions import fold
from schemas.settings import SessionSettings

_MEDIA_TOPICS = (topics.AUDIO.name, topics.VIDEO.name)


class _AnyApp:
    """Credentials for whichever app is asked for: our load checks no signatures."""

    async def of(self, zoom_app_id: str) -> AppCredentials:
        return AppCredentials(zoom_app_id, "secret")


def _nobody(_session_id: str, _epoch: int, _addresses: Sequence[str]) -> None:
    """No worker had these sessions before."""


class Worker:
    """Live sessions over the producers that one worker has."""

    def __init__(self, send_rate_ms: int) -> None:
        self._kafka = KafkaSettings()
        self._budget = IngestSettings().session_budget_bytes
        self._codec = Decoder.from_settings(self._kafka).codec
        self._settings = SessionSettings(audio_send_rate_ms=send_rate_ms)
        control, media, video, text = (create_producer(self._kafka, each) for each in (CONTROL, MEDIA, VIDEO, TEXT))
        self._producers = {topic.name: text if topic.text else media for topic in topics.MEDIA_TOPICS}
        self._producers |= {topics.VIDEO.name: video, topics.SHARE.name: video}
        clock = SystemClock()
        self._around = Surroundings(
            worker="bench",
            facts=Facts(control, self._codec, "bench"),
            letters=DeadLetters(text, self._codec),
            clock=clock,
            create_session=session_factory(_AnyApp(), ZoomSettings(), clock, Contact()),  # type: ignore[arg-type]
            ask=_nobody,
            hand_over_s=IngestSettings().hand_over_s,
            new_start_s=IngestSettings().new_start_s,
        )
        self._publishers: list[Publisher] = []
        self._tasks: list[asyncio.Task[object]] = []
        self._epochs = count(1)

    async def connect(self, url: str, number: int) -> None:
        """Run one more session from now on; `number` tells it apart."""
        state = self._claimed(url, number)
        partition = partition_of(state.session_id, self._kafka.partitions)
        identity = Identity(state.session_id, partition, next(self._epochs))
        publisher = Publisher(identity, self._codec, self._producers, self._budget)
        self._publishers.append(publisher)
        self._tasks.append(asyncio.create_task(LiveSession(publisher, state, self._around).run()))

    def _claimed(self, url: str, number: int) -> AppSession:
        stream_id = f"{number}-{uuid.uuid4().hex}"
        request = StreamRequest(
            product="meeting", meeting_id="bench", stream_id=stream_id, server_urls=(url,), zoom_app_id="bench"
        )
        fact = SessionFact(
            session_id=session_id("proj_bench", stream_id),
            kind=FactKind.REQUESTED,
            source="api",
            project_id="proj_bench",
            request=request,
            settings=session_settings.dumps(self._settings),
        )
        state = fold(None, fact, 0, self._around.clock.now_ms())
        assert state is not None
        return state

    @property
    def frames(self) -> int:
        """Audio and pictures that became records, of all sessions."""
        return sum(publisher.frames[name] for publisher in self._publishers for name in _MEDIA_TOPICS)

    @property
    def unsettled(self) -> int:
        """Records that Kafka has not acknowledged."""
        return sum(publisher.unsettled for publisher in self._publishers)

    def accounts(self) -> dict[str, int]:
        """What the worker's own metrics say: `delivered` to the two topics of frames, and `lost` anywhere."""
        samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
        delivered = [s.value for s in samples if s.name == "rtms_kafka_delivered_records_total"
                     and s.labels["topic"] in _MEDIA_TOPICS]  # fmt: skip
        lost = [s.value for s in samples if s.name == "rtms_ingest_lost_total"]
        return {"delivered": int(sum(delivered)), "lost": int(sum(lost))}

    def ended(self) -> list[str]:
        """Sessions that did not last, by how they ended."""
        return [repr(task.exception() or task.result()) for task in self._tasks if task.done()]
