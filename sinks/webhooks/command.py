"""Starts the webhooks sink: `python -m sinks webhooks`."""

from contextlib import ExitStack

from connectors.host.clock import SystemClock
from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.host.settings import SecretsSettings
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.consumer import create_consumer
from connectors.kafka.losses import Losses
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.settings import KafkaSettings
from connectors.webhooks.settings import WebhooksSettings
from schemas import topics
from sinks.webhooks import announcing, delivering
from sinks.webhooks.announcing import Announcer
from sinks.webhooks.delivering import Deliverer
from sinks.webhooks.directory import Directory
from sinks.webhooks.lanes import Lanes
from sinks.webhooks.ownership import Ownership
from sinks.webhooks.posting import Posting
from sinks.webhooks.settings import SinkWebhooksSettings

log = get_logger(__name__)

POLL_S = 0.01


def run(running: Running) -> int:
    """Tell receivers until told to stop. What was not written by then, a successor does again."""
    of, stop, health, clock = running.configured.of, running.stop, running.health, SystemClock()
    kafka, settings = of(KafkaSettings), of(SinkWebhooksSettings)
    decoder = await_registry(kafka, health, stop)
    await_kafka(kafka, health, stop)
    producer, loader, lanes = create_producer(kafka, CONTROL), PartitionLoader(kafka, "deliveries"), Lanes()
    directory = Directory(kafka, decoder, of(SecretsSettings).key_ring())
    posting = Posting(of(WebhooksSettings).targets(), settings)
    owner = Ownership(lanes, loader, decoder, settings.load_timeout_s)
    notices = create_consumer(kafka, group=delivering.GROUP, topics=[topics.WEBHOOK_NOTICES], listener=owner)
    news = create_consumer(kafka, group=announcing.GROUP, topics=announcing.INPUTS)
    lost = Losses(kafka, decoder, delivering.GROUP)
    told = delivering.Connections(notices, producer, decoder, directory, posting, lanes, lost)
    deliverer = Deliverer(told, settings, stop, clock)
    lost = Losses(kafka, decoder, announcing.GROUP)
    announcer = Announcer(announcing.Connections(news, producer, decoder, directory, lost), stop, clock)
    health.ready(True)
    with ExitStack() as closing:
        closing.callback(lambda: log.info("stopped"))
        for close in (producer.close, loader.close, directory.close, posting.close, notices.close, news.close):
            closing.callback(close)
        while not stop.is_set():
            health.beat()
            health.ready(directory.is_ready, "reading topics", "directory")
            health.ready(bool(notices.assignment() or news.assignment()), "no partitions assigned", "assignment")
            if directory.is_ready:
                announcer.step(POLL_S)
                deliverer.carry_on()
            deliverer.step(POLL_S)
    return 0
