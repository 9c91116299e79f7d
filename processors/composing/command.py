"""Starts composing: `python -m processors composing`."""

from contextlib import ExitStack
from functools import partial

from connectors.host.clock import SystemClock
from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.producer import SEGMENTS, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from processors.composing.due import Order, orders_of
from processors.composing.making import Making, Tools
from processors.composing.service import GROUP, Composing
from processors.composing.settings import ComposingSettings
from processors.shell.due import Due
from processors.shell.following import Following

log = get_logger(__name__)


def run(running: Running) -> int:
    """Draw until told to stop. A failure ends the process: its successor goes on with what is not stored yet."""
    kafka, settings = running.configured.of(KafkaSettings), running.configured.of(ComposingSettings)
    health, stop = running.health, running.stop
    decoder = await_registry(kafka, health, stop)
    await_kafka(kafka, health, stop)
    with ExitStack() as closing:
        closing.callback(log.info, "stopped")
        producer = create_producer(kafka, SEGMENTS)
        closing.callback(producer.close)
        tools = Tools(ObjectStore(running.configured.of(ObjectsSettings)), producer, decoder.codec)
        due: Due[Order] = Due(orders_of)
        following = Following(kafka, f"{settings.group_prefix}{GROUP}", decoder, due)
        closing.callback(following.close)
        composing = Composing(following, partial(Making, tools), settings.sessions, health, SystemClock())
        closing.callback(composing.close)
        health.ready(True)
        while not stop.is_set():
            composing.step()
    return 0
