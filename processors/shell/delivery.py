"""How records get from Faust's consumer to the agent's buffer: directly while there is room in it.

Faust races every single delivery against a rebalance, by four tasks a record, since a full buffer must not hold a
rebalance up. Where there is room nothing can be held up; and those tasks took more of a processor's CPU than the
processor did. What finds no room goes Faust's way.
"""

import asyncio
import inspect
from typing import Any

from faust.transport.drivers.aiokafka import Consumer, Transport
from mode.services import WaitResults

from processors.shell.bootstrap import PatientThread


class DirectConsumer(Consumer):
    """Faust's consumer with a shorter way for what can be delivered at once."""

    logger = Consumer.logger

    def _new_consumer_thread(self) -> PatientThread:
        return PatientThread(self, loop=self.loop, beacon=self.beacon)

    async def wait_first(self, *awaited: Any, timeout: Any = None) -> WaitResults:  # noqa: ASYNC109  Faust's signature
        """Called for each record with its delivery and the wish to suspend; also by Faust's own services."""
        if not (_is_delivery(awaited) and self._has_room()):
            return await super().wait_first(*awaited, timeout=timeout)
        delivery, suspension = awaited
        suspension.close()
        result = await delivery
        await asyncio.sleep(0)  # the agent's turn
        return WaitResults([delivery], [result], stopped=False)

    def _has_room(self) -> bool:
        """Whether a record can be put into the buffer without waiting for anything."""
        return self.app.flow_control.is_active() and not any(topic.queue.full() for topic in self.app.topics)


class DirectTransport(Transport):
    """Faust's transport with that consumer."""

    Consumer = DirectConsumer


def _is_delivery(awaited: tuple[Any, ...]) -> bool:
    return len(awaited) == 2 and all(map(inspect.iscoroutine, awaited))
