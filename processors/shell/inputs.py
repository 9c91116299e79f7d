"""The assigned input partitions, as the shell needs them: the one place that touches Faust's private parts.

Faust's own commit ends the app on errors that mean nothing to us, it cannot tell what is committed, and its seek is not
safe; so these go to the aiokafka consumer beneath it, in the consumer's thread. The version is pinned and a test holds
these paths.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

import faust
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP

from connectors.kafka import errors
from processors.checkpoint.assignments import Input


class Unanswered(errors.KafkaError):
    """Kafka did not say where an input stands; ask again."""


class Unattended(errors.KafkaError):
    """What keeps the client going has ended; nothing comes of it any more."""


class Inputs:
    """Reads positions, commits, seeks and pauses; to be used from the app's loop."""

    def __init__(self, app: faust.App) -> None:
        self._app = app

    @property
    def generation(self) -> int:
        """The group's generation that the newest assignment belongs to."""
        return int(self._app.consumer_generation_id)

    def check(self) -> None:
        """Raises Unattended: of what it meets and does not expect, aiokafka only writes a line into the log.

        An error that it keeps for whoever asks for records is never asked for, and the membership waits until it is.
        """
        consumer = self._consumer()
        if consumer is None or consumer._closed or consumer._coordinator is None:
            return  # not connected, or once more
        membership, fetching = consumer._coordinator._coordination_task, consumer._fetcher._fetch_task
        for task in (membership, fetching, consumer._client._sync_task):
            if task.done():
                error = None if task.cancelled() else task.exception()
                raise Unattended(f"the consumer's {task.get_coro().__name__} has ended", code=type(error).__name__)
        if (error := consumer._coordinator._pending_exception) is not None:
            raise Unattended("the group does not take this member", code=type(error).__name__)

    async def committed(self, sources: Collection[Input]) -> dict[Input, int]:
        """The committed offsets, of those that have any. Raises Unanswered."""
        coordinator = self._consumer()._coordinator
        found = await self._asked(coordinator.fetch_committed_offsets, sources)
        return {Input(*place): at.offset for place, at in found.items() if at.offset >= 0}

    async def starts(self, sources: Collection[Input]) -> dict[Input, int]:
        """The first offsets that still exist. Raises Unanswered."""
        found = await self._asked(self._consumer().beginning_offsets, sources)
        return {Input(*place): offset for place, offset in found.items()}

    async def written_ms(self, sources: Collection[Input]) -> dict[Input, int]:
        """When the first record that still exists was written, of those that have any. Raises Unanswered."""
        found = await self._asked(self._first_at, sources)
        return {Input(*place): first.timestamp for place, first in found.items() if first is not None}

    async def commit(self, offsets: Mapping[Input, int]) -> bool:
        """Commit; false when the group has moved on or Kafka is away: then the successor reads a little more again."""
        wanted = {TopicPartition(*source): OffsetAndMetadata(offset, "") for source, offset in offsets.items()}
        try:
            await self._in_thread(self._consumer().commit, wanted)
        except (CommitFailedError, IllegalStateError, KafkaError):
            return False
        return True

    async def rewind(self, source: Input, offset: int) -> None:
        """Deliver from `offset` on again, unless it was taken away meanwhile.

        Faust's own seek reaches into the client from here, where its thread may be in the middle of a fetch.
        """
        consumer: Any = self._app.consumer
        with suppress(IllegalStateError):
            await self._in_thread(self._consumer().seek, TopicPartition(*source), offset)
            consumer._read_offset[TP(*source)] = offset or None

    def pause(self, source: Input) -> None:
        """Fetch no more of it. Drops what is fetched already: before `resume` comes `rewind`."""
        self._app.consumer.pause_partitions({TP(*source)})

    def resume(self, source: Input) -> None:
        self._app.consumer.resume_partitions({TP(*source)})

    def end(self, source: Input) -> int:
        """The input's end as of the last fetch; 0 where that is not known."""
        try:
            return int(self._app.consumer.highwater(TP(*source)) or 0)
        except IllegalStateError:
            return 0

    async def _first_at(self, places: list[TopicPartition]) -> Any:
        return await self._consumer().offsets_for_times(dict.fromkeys(places, 0))

    def _thread(self) -> Any:
        consumer: Any = self._app.consumer
        return consumer._thread

    def _consumer(self) -> Any:
        return self._thread()._consumer

    async def _asked(self, call: Callable[..., Any], sources: Collection[Input]) -> Any:
        try:
            return await self._in_thread(call, [TopicPartition(*source) for source in sources])
        except KafkaError as error:
            raise Unanswered(f"no answer about offsets ({type(error).__name__})", retryable=True) from error

    async def _in_thread(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await self._thread().call_thread(call, *arguments)
