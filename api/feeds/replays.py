"""Reads what has been written of a session: ranges of a topic's partition, from the broker, in a few threads.

Readers who come back together, as they do when a replica restarts, ask for the same range: one of them reads it.
"""

import asyncio
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from queue import SimpleQueue

from api.feeds.news import MakeNews
from api.feeds.reading import entry_of
from api.feeds.scan import Range, Scan
from connectors.kafka.decoder import Decoder
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.keys import session_of
from schemas.topics import Topic

THREADS = 4
TIMEOUT_S = 5.0

SKEW_MS = 60_000
"""How far the clocks of two brokers may be apart: a session's records are looked for from that long before it began."""


class Replays:
    """All of this process; `close` it."""

    def __init__(self, kafka: KafkaSettings, decoder: Decoder, makers: Mapping[Topic, MakeNews]) -> None:
        self._decoder = decoder
        self._makers = {topic.name: make for topic, make in makers.items()}
        self._directory = OffsetDirectory(kafka)
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="replay")
        self._asking = ThreadPoolExecutor(thread_name_prefix="bounds")  # not those that a store that hangs may have
        self._loaders: SimpleQueue[PartitionLoader] = SimpleQueue()
        for number in range(THREADS):
            self._loaders.put(PartitionLoader(kafka, f"replay-{number}"))
        self._running: dict[tuple[Range, bool], asyncio.Task[Scan]] = {}

    async def scan(self, wanted: Range, *, is_whole: bool) -> Scan:
        """The range, read; not to be changed, for others have it too. Raises KafkaError, also for the registry."""
        asked = (wanted, is_whole)
        if asked not in self._running:
            self._running[asked] = asyncio.create_task(self._read(wanted, is_whole))
            self._running[asked].add_done_callback(partial(self._over, asked))
        return await asyncio.shield(self._running[asked])

    async def bounds(self, place: Place) -> tuple[int, int]:
        """The first offset that still exists, and the one that the next record will get. Raises KafkaError."""
        loop = asyncio.get_running_loop()
        first, end = await asyncio.gather(
            loop.run_in_executor(self._asking, self._directory.starts, [place], TIMEOUT_S),
            loop.run_in_executor(self._asking, self._directory.ends, [place], TIMEOUT_S),
        )
        return first[place], end[place]

    def close(self) -> None:
        """Stop; what is being read is given up."""
        self._closing.set()
        self._threads.shutdown()
        while not self._loaders.empty():
            self._loaders.get().close()

    def _over(self, asked: tuple[Range, bool], task: asyncio.Task[Scan]) -> None:
        del self._running[asked]
        if not task.cancelled():
            task.exception()  # those who asked have it, if any of them is still there

    async def _read(self, wanted: Range, is_whole: bool) -> Scan:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_now, wanted, is_whole)

    def _read_now(self, wanted: Range, is_whole: bool) -> Scan:
        reading, loader = Scan(wanted, is_whole, self._makers[wanted.key.topic](wanted.key)), self._loaders.get()
        try:
            with closing(self._records(loader, wanted)) as records:
                for record in records:
                    entry = entry_of(record, self._decoder.decode)
                    if entry is not None:
                        reading.take(entry)
                    if reading.is_done:
                        break
        finally:
            self._loaders.put(loader)
        return reading

    def _records(self, loader: PartitionLoader, wanted: Range) -> Generator[Record]:
        place = Place(wanted.key.topic, wanted.key.partition)
        since = self._directory.since([place], max(0, wanted.since_ms - SKEW_MS), TIMEOUT_S)[place]
        if since is None:
            return
        for record in loader.between({place: since}, {place: wanted.until}, TIMEOUT_S):
            if self._closing.is_set():
                return
            if session_of(record.key) == wanted.key.session_id:
                yield record
