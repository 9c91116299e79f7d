"""Starts lifecycle: `python -m processors lifecycle`."""

from connectors.host.health import Health
from connectors.host.logs import configure, get_logger
from connectors.host.signals import StopSignal
from connectors.kafka.consumer import create_consumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.losses import Losses
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_ids import topic_id
from connectors.kafka.transactions import TransactionalProducer
from processors.lifecycle.service import GROUP, Connections, Lifecycle, States
from processors.lifecycle.settings import LifecycleSettings
from schemas import topics

log = get_logger(__name__)


def run() -> None:
    """Fold until told to stop. A Fatal error ends the process: its successor goes on from the last transaction."""
    configure("processor-lifecycle")
    kafka, settings = KafkaSettings(), LifecycleSettings()
    stop, health = StopSignal().install(), Health("processor-lifecycle")
    health.start()
    decoder = Decoder.from_settings(kafka)
    loader = PartitionLoader(kafka, "lifecycle-states")
    states = States(loader, decoder, settings.load_timeout_s)
    producer = TransactionalProducer(kafka, settings.instance_id)
    producer.init()
    consumer = create_consumer(
        kafka, group=GROUP, topics=[topics.SESSION_FACTS], listener=states, instance_id=settings.instance_id
    )
    connections = Connections(consumer, producer, decoder, states, Losses(kafka, decoder, GROUP))
    lifecycle = Lifecycle(connections, settings, health, topic_id(kafka, topics.SESSION_FACTS))
    health.ready(True)
    try:
        while not stop.is_set():
            lifecycle.step()
    finally:
        consumer.close()
        producer.close()
        loader.close()
        health.stop()
        log.info("stopped")
