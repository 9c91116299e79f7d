"""How records get from Faust's consumer to the agent's buffer: directly while there is room in it.

Faust races every single delivery against a rebalance, by four tasks a record, since a full buffer must not hold a
rebalance up. Where there is room nothing can be held up; and those tasks took more of a processor's CPU than the
processor did. What finds no room goes Faust's way. A few records are delivered in a row before the agent has its turn:
a turn is a round of the event loop, and costs as much as delivering does.
"""

import asyncio
import inspect
from typing import Any

from faust.transport.drivers.aiokafka import Consumer, Transport
from mode.services import WaitResults

from processors.shell.bootstrap import PatientThread

IN_A_ROW = 16
"""Less than the buffer holds, so that there is room for the next ones when the agent has had its turn."""


class DirectConsumer(Consumer):
    """Faust's consumer with a shorter way for what can be delivered at once."""

    logger = Consumer.logger
    _room = 0
    """So many records find room before anybody else has to have a turn."""

    def _new_consumer_thread(self) -> PatientThread:
        return PatientThread(self, loop=self.loop, beacon=self.beacon)

    async def wait_first(self, *awaited: Any, timeout: Any = None) -> WaitResults:  # noqa: ASYNC109  Faust's signature
        """Called for each record with its delivery and the wish to suspend; also by Faust's own services."""
        if not (_is_delivery(awaited) and await self._finds_room()):
            self._room = 0
            return await super().wait_first(*awaited, timeout=timeout)
        delivery, suspension = awaited
        suspension.close()
        self._room -= 1
        return WaitResults([delivery], [await delivery], stopped=False)

    async def _finds_room(self) -> bool:
        """Only the agent takes out of the buffer, so there can only be more room than was seen."""
        if self._room <= 0:
            await asyncio.sleep(0)  # the agent's turn
            self._room = min(IN_A_ROW, *(topic.queue.maxsize - topic.queue.qsize() for topic in self.app.topics))
        return self._room > 0 and self.app.flow_control.is_active()


class DirectTransport(Transport):
    """Faust's transport with that consumer."""

    Consumer = DirectConsumer


def _is_delivery(awaited: tuple[Any, ...]) -> bool:
    return len(awaited) == 2 and all(map(inspect.iscoroutine, awaited))
