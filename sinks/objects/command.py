"""Starts the objects sink: `python -m sinks objects`."""

from contextlib import ExitStack

from connectors.host.clock import SystemClock
from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.host.settings import SecretsSettings
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.consumer import create_consumer
from connectors.kafka.credentials import Credentials
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.deletions import Deletions
from connectors.kafka.losses import Losses
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from connectors.webhooks.settings import WebhooksSettings
from schemas.deletion import Part, objects_part
from schemas.topics import RECORDING_SEGMENTS
from sinks.objects.copying import Connections as CopyingConnections
from sinks.objects.copying import Copies, Copying
from sinks.objects.scratch import sweep
from sinks.objects.service import GROUP, Connections, ObjectsSink
from sinks.objects.settings import SinkObjectsSettings
from sinks.objects.storing import Destinations, Storing

log = get_logger(__name__)


def run(running: Running) -> int:
    """Store until told to stop. A failure ends the process: its successor goes on from the last commit."""
    kafka, settings = running.configured.of(KafkaSettings), running.configured.of(SinkObjectsSettings)
    stop, health = running.stop, running.health
    if removed := sweep(settings.scratch_dir):
        log.info("scratch files of a killed process removed", files=removed)
    decoder = await_registry(kafka, health, stop)
    await_kafka(kafka, health, stop)
    producer = create_producer(kafka, CONTROL)
    to = Destinations(ObjectStore(running.configured.of(ObjectsSettings)), producer, decoder.codec)
    storing, clock = Storing(to, settings), SystemClock()
    group = f"{settings.group_prefix}{GROUP}"
    part = objects_part(settings.group_prefix)
    credentials = Credentials(kafka, decoder, running.configured.of(SecretsSettings).key_ring()).start()
    policy = running.configured.of(WebhooksSettings).targets()
    copying = Copying(CopyingConnections(to, credentials, policy, clock), settings)
    copies = Copies(copying, credentials, settings, clock)
    deletions = Deletions(kafka, decoder, parts=(*Part, part), hear=copies.hear)
    letters = DeadLetters(producer, decoder.codec)
    connections = Connections(decoder, letters, Losses(kafka, decoder, group), deletions, copies)
    sink = ObjectsSink(storing, connections, settings, health)
    deletions.start(health, stop)
    consumer = create_consumer(kafka, group=group, topics=[RECORDING_SEGMENTS], listener=sink)
    sink.attach(consumer)
    health.ready(True)
    # Each is closed even when another cannot be: a thread that were left trying would keep the process from ending.
    with ExitStack() as closing:
        for close in (
            lambda: log.info("stopped"),
            producer.close,
            deletions.close,  # after the sink, whose threads ask it what is deleted when their writes are done
            credentials.close,
            sink.close,
            consumer.close,
        ):
            closing.callback(close)
        while not stop.is_set():
            sink.step()
    return 0
