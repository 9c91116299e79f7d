"""Starts lifecycle: `python -m processors lifecycle`."""

from contextlib import ExitStack

from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.consumer import create_consumer
from connectors.kafka.losses import Losses
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_ids import topic_id
from connectors.kafka.transactions import TransactionalProducer
from processors.lifecycle.service import GROUP, Connections, Lifecycle, States
from processors.lifecycle.settings import LifecycleSettings
from schemas import topics

log = get_logger(__name__)

INIT_S = 10.0


def run(running: Running) -> int:
    """Fold until told to stop. A Fatal error ends the process: its successor goes on from the last transaction."""
    kafka, settings = running.configured.of(KafkaSettings), running.configured.of(LifecycleSettings)
    health, stop = running.health, running.stop
    decoder = await_registry(kafka, health, stop)
    waiting = await_kafka(kafka, health, stop)
    with ExitStack() as closing:
        closing.callback(log.info, "stopped")
        loader = PartitionLoader(kafka, "lifecycle-states")
        closing.callback(loader.close)
        states = States(loader, decoder, settings.load_timeout_s)
        producer = waiting.until_there(
            lambda: TransactionalProducer.registered(kafka, settings.instance_id, INIT_S), stop
        )
        closing.callback(producer.close)
        facts_topic_id = waiting.until_there(lambda: topic_id(kafka, topics.SESSION_FACTS), stop)
        consumer = create_consumer(
            kafka, group=GROUP, topics=[topics.SESSION_FACTS], listener=states, instance_id=settings.instance_id
        )
        closing.callback(consumer.close)
        connections = Connections(consumer, producer, decoder, states, Losses(kafka, decoder, GROUP))
        lifecycle = Lifecycle(connections, settings, health, facts_topic_id)
        health.ready(True)
        while not stop.is_set():
            lifecycle.step()
    return 0
