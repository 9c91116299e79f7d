"""Starts the ClickHouse sink: `python -m sinks clickhouse`."""

from contextlib import ExitStack

from connectors.clickhouse.arrival import await_clickhouse
from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.clock import SystemClock
from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.consumer import create_consumer
from connectors.kafka.deletions import Deletions
from connectors.kafka.losses import Losses
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.settings import KafkaSettings
from sinks.clickhouse.archiving import Archiving, patience
from sinks.clickhouse.caption_words import CaptionWords
from sinks.clickhouse.chat_words import ChatWords
from sinks.clickhouse.erasing import Erasing, Rows, Tools
from sinks.clickhouse.expiring import Expiring
from sinks.clickhouse.pending import Pending
from sinks.clickhouse.service import GROUP, INPUTS, ClickHouseSink, Connections, Ownership
from sinks.clickhouse.settings import ClickHouseSinkSettings
from sinks.clickhouse.settled import SettledSessions
from sinks.clickhouse.told_captions import ToldCaptions
from sinks.clickhouse.told_words import ToldWords

log = get_logger(__name__)


def run(running: Running) -> int:
    """Write until told to stop. What was not committed by then is written again by a successor."""
    kafka, settings = running.configured.of(KafkaSettings), running.configured.of(ClickHouseSinkSettings)
    health, stop = running.health, running.stop
    settled = SettledSessions(patience(settings, kafka))
    address = running.configured.of(ClickHouseSettings).model_copy(update={"timeout_s": settings.insert_timeout_s})
    decoder = await_registry(kafka, health, stop)
    await_kafka(kafka, health, stop)
    with ExitStack() as closing:
        closing.callback(log.info, "stopped")
        clickhouse = ClickHouse(address)
        closing.callback(clickhouse.close)
        await_clickhouse(clickhouse, address.url, health, stop)
        producer = create_producer(kafka, CONTROL)
        closing.callback(producer.close)
        deletions = Deletions(kafka, decoder, hear=settled.hear)
        rows, loader = Rows(clickhouse), PartitionLoader(kafka, "erasing")
        erasing = Erasing(Tools(loader, producer, decoder, deletions, rows), stop, SystemClock())
        for close in (loader.close, deletions.close, erasing.close):
            closing.callback(close)
        deletions.start(health, stop)
        pending, losses = Pending(), Losses(kafka, decoder, GROUP)
        consumer = create_consumer(kafka, group=GROUP, topics=INPUTS, listener=Ownership(pending))
        closing.callback(consumer.close)
        expiring = Expiring(deletions, producer, decoder, kafka.partitions, SystemClock())
        connections = Connections(
            consumer,
            pending,
            producer,
            decoder,
            clickhouse,
            losses,
            kafka.partitions,
            deletions,
            rows,
            ChatWords(clickhouse),
            ToldWords(clickhouse),
            CaptionWords(clickhouse),
            ToldCaptions(clickhouse),
            erasing,
            expiring,
            Archiving(settled, clickhouse, producer, decoder, SystemClock()),
        )
        sink = ClickHouseSink(connections, settings, health, stop, SystemClock())
        health.ready(True)
        while not stop.is_set():
            sink.step()
    return 0
