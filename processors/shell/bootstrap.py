"""The first connection of Faust's consumer, waited for: by itself Faust ends the process when it finds nobody.

Only the first matters: from then on its client looks for lost brokers by itself.
"""

import asyncio

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
            except KafkaConnectionError as error:
                log.warning("kafka is away, connecting again", reason=str(error))
                assert self._consumer is not None
                await self._consumer.stop()
                await asyncio.sleep(RETRY_S)
            else:
                return
