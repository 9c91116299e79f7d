"""Starts the webhooks sink: `python -m sinks webhooks`."""

from contextlib import ExitStack

from connectors.host.clock import SystemClock
from connectors.host.health import Health
from connectors.host.logs import configure, get_logger
from connectors.host.secrets import KeyRing
from connectors.host.settings import SecretsSettings
from connectors.host.signals import StopSignal
from connectors.kafka.consumer import create_consumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.settings import KafkaSettings
from connectors.webhooks.settings import WebhooksSettings
from schemas import topics
from sinks.webhooks import announcing, delivering
from sinks.webhooks.announcing import Announcer
from sinks.webhooks.delivering import Connections, Deliverer, Ownership
from sinks.webhooks.directory import Directory
from sinks.webhooks.lanes import Lanes
from sinks.webhooks.posting import Posting
from sinks.webhooks.settings import WebhooksSinkSettings

log = get_logger(__name__)

SERVICE = "sink-webhooks"
POLL_S = 0.01


def run() -> None:
    """Tell receivers until told to stop. What was not written by then, a successor does again."""
    configure(SERVICE)
    stop, health = StopSignal().install(), Health(SERVICE)
    health.start()
    with ExitStack() as closing:
        closing.callback(lambda: log.info("stopped"))
        closing.callback(health.stop)
        _loop(closing, stop, health)


def _loop(closing: ExitStack, stop: StopSignal, health: Health) -> None:
    kafka, settings, clock = KafkaSettings(), WebhooksSinkSettings(), SystemClock()
    decoder = Decoder.from_settings(kafka)
    producer, loader, lanes = create_producer(kafka, CONTROL), PartitionLoader(kafka, "deliveries"), Lanes()
    directory = Directory(kafka, decoder, KeyRing(SecretsSettings().key_list()))
    posting = Posting(WebhooksSettings().targets(), settings)
    owner = Ownership(lanes, loader, decoder, settings.load_timeout_s)
    notices = create_consumer(kafka, group=delivering.GROUP, topics=[topics.WEBHOOK_NOTICES], listener=owner)
    news = create_consumer(kafka, group=announcing.GROUP, topics=announcing.INPUTS)
    for close in (producer.close, loader.close, directory.close, posting.close, notices.close, news.close):
        closing.callback(close)
    deliverer = Deliverer(Connections(notices, producer, decoder, directory, posting, lanes), settings, stop, clock)
    announcer = Announcer(news, producer, decoder, directory, stop, clock)
    health.ready(True)
    while not stop.is_set():
        health.beat()
        health.ready(directory.is_ready, "reading topics", "directory")
        health.ready(bool(notices.assignment() or news.assignment()), "no partitions assigned", "assignment")
        if directory.is_ready:
            announcer.step(POLL_S)
        deliverer.step(POLL_S)
