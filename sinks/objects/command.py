"""Starts the objects sink: `python -m sinks objects`."""

from contextlib import ExitStack

from connectors.host.health import Health
from connectors.host.logs import configure, get_logger
from connectors.host.signals import StopSignal
from connectors.kafka.consumer import create_consumer
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.decoder import Decoder
from connectors.kafka.losses import Losses
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from schemas.topics import RECORDING_SEGMENTS
from sinks.objects.scratch import sweep
from sinks.objects.service import GROUP, Connections, ObjectsSink
from sinks.objects.settings import SinkObjectsSettings
from sinks.objects.storing import Destinations, Storing

log = get_logger(__name__)


def run() -> None:
    """Store until told to stop. A failure ends the process: its successor goes on from the last commit."""
    configure("sink-objects")
    kafka, settings = KafkaSettings(), SinkObjectsSettings()
    stop, health = StopSignal().install(), Health("sink-objects")
    health.start()
    if removed := sweep(settings.scratch_dir):
        log.info("scratch files of a killed process removed", files=removed)
    decoder = Decoder.from_settings(kafka)
    producer = create_producer(kafka, CONTROL)
    storing = Storing(Destinations(ObjectStore(ObjectsSettings()), producer, decoder.codec), settings)
    group = f"{settings.group_prefix}{GROUP}"
    connections = Connections(decoder, DeadLetters(producer, decoder.codec), Losses(kafka, decoder, group))
    sink = ObjectsSink(storing, connections, settings, health)
    consumer = create_consumer(kafka, group=group, topics=[RECORDING_SEGMENTS], listener=sink)
    sink.attach(consumer)
    health.ready(True)
    # Each is closed even when another cannot be: a thread that were left trying would keep the process from ending.
    with ExitStack() as closing:
        for close in (lambda: log.info("stopped"), health.stop, producer.close, sink.close, consumer.close):
            closing.callback(close)
        while not stop.is_set():
            sink.step()
