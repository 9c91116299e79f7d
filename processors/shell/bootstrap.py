"""The first connection of Faust's consumer, waited for: by itself Faust ends the process when it finds nobody.

A broker that has just started answers before it knows of itself or of others. With nobody to ask, what coordinates
aiokafka's membership ends with an assertion, and the consumer waits for its partitions for good. Only the first
connection matters: from then on the client looks for lost brokers by itself, and an answer without any changes nothing.
"""

import asyncio
from typing import Any

from aiokafka.errors import KafkaConnectionError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from connectors.host.logs import get_logger
from connectors.host.waiting import RETRY_S

log = get_logger(__name__)


class PatientThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, which starts as soon as a broker answers."""

    logger = AIOKafkaConsumerThread.logger

    async def on_start(self) -> None:
        while not self.should_stop:
            try:
                await super().on_start()
                self._require_brokers()
            except KafkaConnectionError as error:
                log.warning("kafka is away, connecting again", reason=str(error))
                assert self._consumer is not None
                await self._consumer.stop()
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _require_brokers(self) -> None:
        consumer: Any = self._consumer
        if not consumer._client.cluster.brokers():
            raise KafkaConnectionError("the broker that answers knows of no brokers yet")
