"""Reads given partitions from given offsets, outside of any group: for views, state loads and tools.

Read committed, so what a transaction left behind is never seen. A position is known even where the last offsets of a
partition hold no record (transaction markers, compacted ones), because the broker's end-of-partition event moves it.
"""

from collections import deque
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer as LibraryConsumer
from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException, Message

from connectors.host.clock import Clock, SystemClock
from connectors.kafka.brokers import give_back
from connectors.kafka.connection import FETCH_WAIT_MS, LIBRARY_LOG, Connection
from connectors.kafka.errors import KafkaError, TimedOut, raise_for, translate
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import BEGINNING, Place, Record, library_offsets, record_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.stranded import LOOK_S, Lookout, shown

_POLL_S = 0.1
_KNOW_S = 5.0


def reader_config(settings: KafkaSettings, fetch_wait_ms: int = FETCH_WAIT_MS) -> dict[str, Any]:
    """librdkafka's configuration of an assign-only reader."""
    return settings.client_config() | {
        "group.id": "unused-by-readers",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": fetch_wait_ms,
    }


class Reader:
    """One connection that reads what it was told to; one thread at a time.

    `is_polled`: it is asked for records all the time, so that what the library shows of itself is taken, and looked at.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        name: str = "reader",
        fetch_wait_ms: int = FETCH_WAIT_MS,
        *,
        is_polled: bool = False,
    ) -> None:
        self._connection = Connection(name)
        self._brokers = settings.bootstrap_servers
        self._config = reader_config(settings, fetch_wait_ms) | self._connection.config()
        if is_polled:
            self._config |= shown(LOOK_S, Lookout(name, self.rescue).look, self._connection.look)
        self._library = LibraryConsumer(self._config, logger=LIBRARY_LOG)
        self._is_lost = False
        self._positions: dict[Place, int] = {}
        self._errors: deque[KafkaError] = deque()
        self._known: set[str] = set()

    def assign(self, offsets: Mapping[Place, int]) -> None:
        """Read these partitions from these offsets (or BEGINNING), and no others."""
        self._positions = {place: max(0, offset) for place, offset in offsets.items()}
        self._errors.clear()
        self._know({place.topic for place in offsets})
        self._library.assign(library_offsets(offsets))

    def _know(self, topics: set[str]) -> None:
        """Fetch metadata first: a look-up of offsets that comes before it is only tried again after half a second."""
        for topic in topics - self._known:
            try:
                self._library.list_topics(topic, timeout=_KNOW_S)
                self._known.add(topic)
            except KafkaException:  # the brokers are away; the library goes on asking by itself
                return

    def consume(self, max_records: int = 500, timeout_s: float = _POLL_S) -> list[Record]:
        """What is there, waiting up to `timeout_s` for the first record.

        Raises:
            OffsetOutOfRange: retention has overtaken this reader.
            KafkaError: anything else that will not pass by itself.
        """
        if self._errors:
            raise self._errors.popleft()
        if self._is_lost:
            self._begin_anew()
        try:
            first = self._library.poll(timeout_s)
            if first is None:
                return []
        except KafkaException as failure:
            raise translate(failure) from failure
        records: list[Record] = []
        for message in (first, *self._more(max_records - 1)):
            try:
                self._take(message, records)
            except KafkaError as error:  # the records before it must not be lost with it
                self._errors.append(error)
        return records

    def rescue(self) -> None:
        """If it has lost all brokers, it has them again; where that cannot be done, another client goes on."""
        self._is_lost = not give_back(self._library, self._brokers)

    def _begin_anew(self) -> None:
        """From where the last client has come; not in `rescue`, which a poll of that client may have called."""
        self._library.close()
        self._library, self._is_lost = LibraryConsumer(self._config, logger=LIBRARY_LOG), False
        self._library.assign(library_offsets(self._positions))

    def _more(self, max_records: int) -> list[Message]:
        """What is there besides the first; an error has to wait, or the first would be lost with it."""
        try:
            return self._library.consume(max_records, 0) if max_records else []
        except KafkaException as failure:
            self._errors.append(translate(failure))
            return []

    def position(self, place: Place) -> int:
        """The offset after what was last returned (or known to hold nothing)."""
        return self._positions[place]

    def positions(self) -> dict[Place, int]:
        """All positions."""
        return dict(self._positions)

    @property
    def connection(self) -> Connection:
        """Whether brokers are reached."""
        return self._connection

    def close(self) -> None:
        """Give the connection back."""
        self._library.close()

    def _take(self, message: Message, records: list[Record]) -> None:
        place = Place(message.topic() or "", message.partition() or 0)
        if place not in self._positions:
            return
        error = message.error()
        if error is None:
            records.append(record_of(message))
            self._positions[place] = records[-1].offset + 1
            self._connection.on_success()
        elif error.code() == LibraryError._PARTITION_EOF:
            self._positions[place] = max(self._positions[place], message.offset() or 0)
            self._connection.on_success()
        else:
            raise_for(error, place)


class PartitionLoader:
    """Reads whole partitions to their ends as of the call: how an owner takes over state. One thread at a time."""

    def __init__(self, settings: KafkaSettings, name: str = "loader", clock: Clock | None = None) -> None:
        self._reader = Reader(settings, name, fetch_wait_ms=10)
        self._offsets = OffsetDirectory(settings)
        self._clock = clock or SystemClock()

    def load(self, places: Iterable[Place], timeout_s: float) -> Generator[Record]:
        """Every committed record from the first that exists to the end that holds now, in order per partition.

        Waits for transactions that were open at the call. Raises TimedOut when the end is not reached in time.
        """
        deadline = self._clock.monotonic() + timeout_s
        wanted = list(places)
        ends = self._offsets.ends(wanted, timeout_s)
        starts = {place: BEGINNING for place in wanted if ends[place] > 0}
        yield from self.between(starts, ends, deadline - self._clock.monotonic())

    def load_all(self, places: Iterable[Place], stall_s: float) -> Generator[Record]:
        """As `load`, however long it takes. Raises TimedOut when nothing has come for `stall_s`."""
        wanted = list(places)
        ends = self._offsets.ends(wanted, stall_s)
        yield from self._read({place: BEGINNING for place in wanted if ends[place] > 0}, ends, stall_s, may_last=True)

    def between(self, starts: Mapping[Place, int], ends: Mapping[Place, int], timeout_s: float) -> Generator[Record]:
        """Every committed record from `starts` (or BEGINNING) to before `ends`, in order per partition.

        Raises:
            OffsetOutOfRange: what stands at a start has been deleted.
            TimedOut: the ends were not reached in time.
        """
        return self._read(starts, ends, timeout_s, may_last=False)

    def _read(
        self, starts: Mapping[Place, int], ends: Mapping[Place, int], timeout_s: float, *, may_last: bool
    ) -> Generator[Record]:
        """The time is for all of it or, if that `may_last`, for the next record."""
        deadline = self._clock.monotonic() + timeout_s
        self._reader.assign({place: start for place, start in starts.items() if start < ends[place]})
        try:
            while any(position < ends[place] for place, position in self._reader.positions().items()):
                records = self._reader.consume()
                for record in records:
                    if record.offset < ends[record.place]:
                        yield record
                if records and may_last:
                    deadline = self._clock.monotonic() + timeout_s
                if self._clock.monotonic() > deadline:
                    self._reader.rescue()  # nobody polls it between two loads, so nothing shows whether it has to be
                    raise TimedOut("the end of the partitions was not reached in time")
        finally:
            self._reader.assign({})

    def close(self) -> None:
        """Give the connections back."""
        self._reader.close()
