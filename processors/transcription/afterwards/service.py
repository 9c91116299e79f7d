"""Transcribing what was recorded, beside the transcription of what is being said, in the same process.

A group of its own shares the sessions among the processes. The engines are of its own, too, with a recogniser that
yields to the one that hears meetings, and there only while something is made. Whatever goes wrong here is tried again
and costs no meeting anything. A project has at most half of the places: behind its key, that nobody answers to, the
others' need not wait.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from connectors.host.backoff import delays_s
from connectors.host.logs import get_logger
from connectors.kafka.errors import Fatal, KafkaError
from connectors.objects.errors import ObjectsError
from processors.shell.faults import raised_at
from processors.shell.following import Following
from processors.transcription import metrics
from processors.transcription.afterwards.asking import Asking
from processors.transcription.afterwards.due import Order
from processors.transcription.afterwards.making import Making, NotUnderstood, Tools
from schemas.transcription_codes import INTERNAL_ERROR

log = get_logger(__name__)

LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True, slots=True)
class Connected:
    """What side transcripts are found with; `open` (blocking) gives what they are made with, `closing` takes it all."""

    following: Following[Order]
    open: Callable[[], Tools]
    closing: ExitStack


class Afterwards:
    """Runs until it is stopped; `connect` opens what it needs (blocking), `sessions` are made at a time."""

    def __init__(self, connect: Callable[[], Connected], asking: Asking, sessions: int) -> None:
        self._connect, self._asking, self._sessions = connect, asking, asyncio.Semaphore(sessions)
        self._projects = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(max(1, sessions // 2)))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="afterwards")
        self._making: dict[str, asyncio.Task[None]] = {}
        self._broken: asyncio.Event = asyncio.Event()
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Leave off; whoever has the sessions next begins what is unfinished again."""
        self._stopping.set()
        if self._running is not None:
            await self._running
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        for delay_s in delays_s(longest_s=LONGEST_PAUSE_S):
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001  the task's edge: nobody awaits it, and meetings must go on
                metrics.SIDE_RETRIES.inc()
                log.error("not transcribing what was recorded, beginning anew",
                          error=type(error).__name__, at=raised_at(error), wait_s=delay_s)  # fmt: skip
            if await self._is_stopping_within(delay_s):
                return

    async def _serve(self) -> None:
        loop, self._broken = asyncio.get_running_loop(), asyncio.Event()
        connected, tools = await loop.run_in_executor(self._thread, self._connect), None
        try:
            while not self._stopping.is_set():
                orders = await loop.run_in_executor(self._thread, connected.following.step)
                if orders and tools is None:
                    tools = await loop.run_in_executor(self._thread, connected.open)
                self._reconcile(tools, {order.transcription_id: order for order in orders})
                if self._broken.is_set():
                    raise Fatal("a connection is of no use any more")
                if all(task.done() for task in self._making.values()):
                    self._projects.clear()
                    await self._asking.rest()
        finally:
            await self._leave_off()
            await self._asking.rest()
            await loop.run_in_executor(self._thread, connected.closing.close)

    def _reconcile(self, tools: Tools | None, orders: Mapping[str, Order]) -> None:
        """Make what is to be made, once; leave off what nobody wants any more."""
        metrics.SIDE_UNDER_WAY.set(len(orders))
        for name in self._making.keys() - orders.keys():
            self._making.pop(name).cancel()
        for name, order in orders.items():
            if name not in self._making and tools is not None:
                self._making[name] = asyncio.create_task(self._make(tools, order))

    async def _make(self, tools: Tools, order: Order) -> None:
        """Until it is written, however often that takes; its end is known to the log when a sink has stored it."""
        for delay_s in delays_s(longest_s=LONGEST_PAUSE_S):
            try:
                async with self._projects[order.project_id], self._sessions:
                    await self._once(tools, order)
            except Fatal:
                self._broken.set()
                return
            except (KafkaError, ObjectsError, TimeoutError) as error:
                metrics.SIDE_RETRIES.inc()
                log.warning("side transcript unfinished, beginning again", session_id=order.session_id,
                            error=type(error).__name__, wait_s=delay_s)  # fmt: skip
                await asyncio.sleep(delay_s)
                order = order.begun()
            else:
                return

    async def _once(self, tools: Tools, order: Order) -> None:
        making = Making(tools, order)
        try:
            await making.run()
        except (KafkaError, ObjectsError, TimeoutError):
            raise
        except NotUnderstood as error:
            log.warning("side transcript not understood", session_id=order.session_id, reason=str(error))
            metrics.SIDE_TRANSCRIPTS.labels("failed").inc()
            await making.fail(str(error))
        except Exception as error:  # noqa: BLE001  whatever one session's sound finds must not stop the others
            log.error("side transcript failed", session_id=order.session_id, error=type(error).__name__,
                      at=raised_at(error))  # fmt: skip
            metrics.SIDE_TRANSCRIPTS.labels("failed").inc()
            await making.fail(INTERNAL_ERROR)
        else:
            metrics.SIDE_TRANSCRIPTS.labels("written").inc()

    async def _leave_off(self) -> None:
        tasks, self._making = list(self._making.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _is_stopping_within(self, delay_s: float) -> bool:
        try:
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True
