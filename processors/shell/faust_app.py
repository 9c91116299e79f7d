"""Builds the Faust app of a processor, set so that Faust does only what it is good at: group membership and fetching.

Each setting keeps one of its traps shut: no acknowledgements of its own (they lose records), no topic creation, no
leader, no web server, no producer, no tables; the co-partitioning assignor, which needs one standby replica to be on;
a short buffer, because it is counted in records and ours can be large. What it would do for each record without anybody
having asked is off too: its monitor's statistics, waiting for a record that is already there, a turn of the event loop,
serializers that have nothing to do.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import faust
from faust import Event
from faust.app.base import BootStrategy
from faust.serializers.schemas import DecodeFunction
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import AppT, Message
from mode.services import WaitArgT
from mode.types import ServiceT
from mode.utils.times import Seconds

from connectors.kafka.settings import KafkaSettings
from processors.settings import ProcessorsSettings
from processors.shell.credentials import credentials
from processors.shell.delivery import IN_A_ROW, DirectTransport

MAX_FETCH_BYTES = 4 * 1024 * 1024
METADATA_AGE_MS = 30_000


class _ConsumingOnly(BootStrategy):
    """Outputs go through our own idempotent producer."""

    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class _Resuming(Recovery):
    """Waits for Kafka as long as it takes. Where Faust gives up, nothing is read any more, whatever it is assigned."""

    async def _wait(self, coro: WaitArgT, timeout: Seconds | None = None) -> None:  # noqa: ASYNC109  Faust's signature
        await super()._wait(coro)


class _NoTables(TableManager):
    """Starts without the second that Faust waits for tables to be declared: there are none."""

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = _Resuming(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


class _Bytes(faust.Schema[bytes, bytes]):
    """Keys and values stay what they are in Kafka."""

    def compile(self, app: AppT, **_: Any) -> DecodeFunction:
        async def decode(message: Message, *, propagate: bool = False) -> Event:
            return Event(app, message.key, message.value, None, message)

        return decode


class ProcessorApp(faust.App):
    """A Faust app without folders: there are no tables to keep on a disk."""

    BootStrategy = _ConsumingOnly

    def on_init_dependencies(self) -> Iterable[ServiceT]:
        services = super().on_init_dependencies()
        self.sensors.remove(self.monitor)
        self.sensors.add(faust.Sensor())  # which does nothing; with none at all, Faust warns at every rebalance
        return services

    def _new_transport(self) -> DirectTransport:
        return DirectTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        return


def create_app(group: str, settings: ProcessorsSettings, kafka: KafkaSettings) -> ProcessorApp:
    """An app that consumes and does nothing else; `group` is its consumer group."""
    return ProcessorApp(
        group,
        broker=";".join(f"kafka://{address}" for address in kafka.bootstrap_servers.split(",")),
        broker_credentials=credentials(kafka),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.heartbeat_s,
        consumer_group_instance_id=settings.instance_id or None,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=MAX_FETCH_BYTES,
        consumer_metadata_max_age_ms=METADATA_AGE_MS,
        cython_optimizations=True,
        stream_buffer_maxsize=settings.buffered_records,
        stream_wait_empty=False,
        table_standby_replicas=1,
        TableManager=_NoTables,
        topic_allow_declare=False,
        topic_disable_leader=True,
        value_serializer="raw",
        web_enabled=False,
    )


def add_agent(app: ProcessorApp, topics: tuple[str, ...], take: Callable[[Message], Awaitable[None]]) -> None:
    """Hand every message of `topics` to `take`, one after the other; `take` never raises and knows what is outdated.

    Faust's stream gives a turn of the event loop to others before each event. What lies in the buffer already is taken
    in the same turn, as much as is put there in one.
    """
    source = app.topic(*topics, schema=_Bytes(), acks=False, allow_empty=True)

    async def agent(stream: Any) -> None:
        waiting = stream.channel.queue
        async for event in stream.noack().events():
            await take(event.message)
            for _ in range(IN_A_ROW - 1):
                if waiting.empty():
                    break  # or emptied meanwhile, by a rebalance
                await take(waiting.get_nowait().message)

    app.agent(source, name=f"{app.conf.id}-agent", concurrency=1)(agent)
