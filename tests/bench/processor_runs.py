"""A processor as a process between real topics, and the CPU that it takes to have records go through it."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import QueueFull
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import MEDIA, Producer, create_producer
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from deploy.local.server import Server
from schemas.ids import partition_of, session_id
from schemas.records import MediaRecord
from schemas.topics import Topic
from tests.bench.costs import cpu_seconds
from tests.support.groups import Lag, begin_at_the_ends
from tests.support.processes import running, wait_for
from tests.support.settings import kafka_settings

Written = tuple[Topic, MediaRecord]
Encoded = tuple[Topic, bytes, bytes]
"""Topic, key and value."""

PATIENCE_S = 120.0


class Writer:
    """Puts sessions' records on their topics."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._codec = Decoder.from_settings(kafka).codec
        self._producer: Producer = create_producer(kafka, MEDIA)

    def encoded(self, records: Iterable[Written]) -> list[Encoded]:
        return [
            (topic, record.session_id.encode(), self._codec.encode(topic, record)) for topic, record in records
        ]  # fmt: skip

    def write(self, records: Iterable[Encoded]) -> None:
        """Returns when the broker has them all."""
        for topic, key, value in records:
            self._send(topic, key, value)
        assert self._producer.flush(PATIENCE_S) == 0

    def close(self) -> None:
        self._producer.close()

    def _send(self, topic: Topic, key: bytes, value: bytes) -> None:
        partition = partition_of(key.decode(), self._kafka.partitions)
        while True:
            try:
                self._producer.send(topic, key, value, partition)
                return
            except QueueFull:
                self._producer.poll(0.05)


@dataclass
class Run:
    """A running processor, alone in a consumer group of its own."""

    process: Server
    kafka: KafkaSettings
    writer: Writer
    lag: Lag

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def outputs(self, output: Topic) -> Callable[[], int]:
        """Call it for the records that `output` has got since now."""
        places = [Place(output.name, number) for number in range(self.kafka.partitions)]
        offsets = OffsetDirectory(self.kafka)
        begin = sum(offsets.ends(places).values())
        return lambda: sum(offsets.ends(places).values()) - begin

    def cost_of(self, records: Iterable[Encoded], output: Topic, wanted: int) -> float:
        """CPU seconds of the process until `wanted` records are on `output` and every input is committed."""
        written = self.outputs(output)
        before = cpu_seconds(self.pid)
        self.writer.write(records)
        self.wait_for(written, wanted)
        wait_for(lambda: not self.lag(), PATIENCE_S, lambda: f"not committed {self.lag()}: see {self.process.log}")
        assert written() == wanted, f"{written()} records instead of {wanted}"
        return cpu_seconds(self.pid) - before

    def wait_for(self, written: Callable[[], int], wanted: int) -> None:
        """Until `outputs` has counted so many."""
        wait_for(lambda: written() >= wanted, PATIENCE_S, lambda: f"{written()} of {wanted}: see {self.process.log}")


@contextmanager
def run(command: Sequence[str], inputs: Sequence[Topic], kafka_env: dict[str, str], folder: Path) -> Iterator[Run]:
    """`command` (arguments to Python, the processor's name last) begins at the ends of its inputs."""
    prefix, kafka = f"bench-{uuid.uuid4().hex}-", kafka_settings(kafka_env)
    names = [topic.name for topic in inputs]
    group = prefix + command[-1]
    begin_at_the_ends(kafka, group, names)
    env = kafka_env | {"RTMS_PROCESSORS_GROUP_PREFIX": prefix}
    with running(list(command), env, folder / f"{group}.log") as process, closing(Writer(kafka)) as writer:
        yield Run(process, kafka, writer, Lag(kafka, group, names))


def new_sessions(count: int) -> list[str]:
    """Ids that nobody has used, in partitions of their own as far as there are any."""
    run_id = f"{time.monotonic_ns()}-{uuid.uuid4().hex}"
    return [session_id("proj_bench", f"{run_id}-{number}") for number in range(count)]
