"""Starts the ClickHouse sink: `python -m sinks clickhouse`."""

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.clock import SystemClock
from connectors.host.health import Health
from connectors.host.logs import configure, get_logger
from connectors.host.signals import StopSignal
from connectors.kafka.consumer import create_consumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.losses import Losses
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.settings import KafkaSettings
from sinks.clickhouse.pending import Pending
from sinks.clickhouse.service import GROUP, INPUTS, ClickHouseSink, Connections, Ownership
from sinks.clickhouse.settings import ClickHouseSinkSettings

log = get_logger(__name__)


def run() -> None:
    """Write until told to stop. What was not committed by then is written again by a successor."""
    configure(GROUP)
    kafka, settings = KafkaSettings(), ClickHouseSinkSettings()
    stop, health, clock = StopSignal().install(), Health(GROUP), SystemClock()
    health.start()
    decoder = Decoder.from_settings(kafka)
    clickhouse = ClickHouse(ClickHouseSettings().model_copy(update={"timeout_s": settings.insert_timeout_s}))
    producer = create_producer(kafka, CONTROL)
    pending = Pending()
    losses = Losses(kafka, decoder, GROUP)
    consumer = create_consumer(kafka, group=GROUP, topics=INPUTS, listener=Ownership(pending))
    connections = Connections(consumer, pending, producer, decoder, clickhouse, losses, kafka.partitions)
    sink = ClickHouseSink(connections, settings, health, stop, clock)
    health.ready(True)
    try:
        while not stop.is_set():
            sink.step()
    finally:
        consumer.close()
        producer.close()
        clickhouse.close()
        health.stop()
        log.info("stopped")
