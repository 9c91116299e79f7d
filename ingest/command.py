"""Starts a connector worker: `python -m ingest`."""

import asyncio
from collections.abc import Coroutine, Sequence

from connectors.host import loops
from connectors.host.clock import SystemClock
from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.host.settings import SecretsSettings
from connectors.host.waiting import Waiting
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, MEDIA, TEXT, VIDEO, Producer, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.rtms.settings import ZoomSettings
from ingest import telling
from ingest.asking import Asking
from ingest.claims import ClaimsTail
from ingest.contact import Contact
from ingest.credentials import ZoomCredentials
from ingest.door import Door
from ingest.facts import Facts
from ingest.live import LiveSession, Surroundings
from ingest.membership import Membership
from ingest.ownership import Deadlines
from ingest.publisher import Publisher
from ingest.sessions import session_factory
from ingest.settings import IngestSettings
from ingest.worker import Worker
from schemas import topics

log = get_logger(__name__)

BEAT_S = 1.0
HAND_OVER_MARGIN_S = 0.5


async def serve(running: Running, kafka: KafkaSettings, decoder: Decoder, waiting: Waiting) -> int:
    """Run until told to stop; 1 when the worker broke and its successor must take over."""
    settings, health, stop = running.configured.of(IngestSettings), running.health, running.stop
    clock = SystemClock()
    control = create_producer(kafka, CONTROL)
    media, video, text = (create_producer(kafka, profile) for profile in (MEDIA, VIDEO, TEXT))
    producers = by_topic(media, video, text)
    ring = running.configured.of(SecretsSettings).key_ring()
    address = telling.address(settings.address, health.port) if settings.address else None
    facts, contact = Facts(control, decoder.codec, settings.worker, address), Contact()
    asking = Asking(ring, settings.worker, address)
    credentials = ZoomCredentials(kafka, decoder, ring).start()
    around = Surroundings(
        worker=settings.worker,
        facts=facts,
        letters=DeadLetters(text, decoder.codec),
        clock=clock,
        create_session=session_factory(credentials, running.configured.of(ZoomSettings), clock, contact),
        ask=asking.ask,
        hand_over_s=settings.hand_over_s,
        new_start_s=settings.new_start_s,
    )
    worker = Worker(
        facts=facts,
        create=lambda identity, state: LiveSession(
            Publisher(identity, decoder.codec, producers, settings.session_budget_bytes), state, around
        ),
        deadlines=Deadlines(
            connecting_ms=round(settings.connecting_deadline_s * 1000),
            disconnecting_ms=round(settings.disconnecting_deadline_s * 1000),
            post_processing_ms=round(settings.post_processing_deadline_s * 1000),
            total_ms=round(settings.total_deadline_s * 1000),
        ),
        clock=clock,
    )
    membership = Membership(kafka, decoder, worker, health, settings.hand_over_s + HAND_OVER_MARGIN_S)
    claims = ClaimsTail(kafka, decoder, worker.on_claim, worker.on_announced, worker.on_broken)
    health.take_posts(telling.PATH, Door(ring, worker.on_claim).answer)

    async def work() -> None:
        await credentials.wait_ready(waiting)
        await claims.start(waiting)
        membership.start()
        health.ready(True)
        await worker.watch_deadlines()

    watch = watch_over((media, video, text, control), contact, health, settings.without_kafka_s)
    await first_of(stop.wait(), worker.broken.wait(), work(), watch)
    health.ready(False, "stopping")
    await worker.leave()
    await asyncio.to_thread(lambda: [each.close() for each in (membership, claims, credentials)])
    await asking.close()
    left = sum(producer.close() for producer in (media, video, text, control))
    log.info("stopped", undelivered=left)
    return 0 if stop.is_set() and not worker.broken.is_set() and not left else 1


def by_topic(media: Producer, video: Producer, text: Producer) -> dict[str, Producer]:
    """Which of them takes what; `media` what is neither a picture nor a text."""
    producers = {topic.name: text if topic.text else media for topic in topics.MEDIA_TOPICS}
    return producers | {topics.VIDEO.name: video, topics.SHARE.name: video}


async def watch_over(producers: Sequence[Producer], contact: Contact, health: Health, without_kafka_s: float) -> None:
    """Liveness: the event loop gets round. Returns when the process is of no use any more, which ends it."""
    while all(producer.connection.fatal is None for producer in producers):
        health.beat()
        acknowledged = sum(producer.acknowledged for producer in producers)
        on_the_way = sum(producer.queued for producer in producers)
        contact.note(acknowledged, on_the_way, asyncio.get_running_loop().time())
        if contact.silent_s > without_kafka_s:
            log.error("without kafka for too long, leaving")
            return
        await asyncio.sleep(BEAT_S)


async def first_of(*waits: Coroutine[None, None, object]) -> None:
    """Return when one of them has ended, however it did."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        if (error := task.exception()) is not None:
            log.error("a task failed, leaving", exc_info=error)


def run(running: Running) -> int:
    kafka = running.configured.of(KafkaSettings)
    decoder = await_registry(kafka, running.health, running.stop)
    waiting = await_kafka(kafka, running.health, running.stop)
    return loops.run(serve(running, kafka, decoder, waiting), running.configured.of(IngestSettings).gather_ms)
