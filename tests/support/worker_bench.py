"""A processor's worker between inputs in memory and the test."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace

from faust.types import TP

from connectors.host.health import Health
from connectors.host.waiting import Waiting
from connectors.kafka.decoder import Decoder
from connectors.kafka.settings import KafkaSettings
from processors.checkpoint.assignments import Input
from processors.settings import ProcessorsSettings
from processors.shell.applications import Output, Partials
from processors.shell.worker import Connections, Worker
from schemas import topics
from schemas.codec import Codec
from schemas.records import MediaRecord
from schemas.sessions import Awaited
from tests.support.memory_inputs import MemoryInputs, MemoryOutbox, MemoryStates
from tests.support.memory_losses import MemoryLosses
from tests.support.processes import PATIENCE_S
from tests.support.toy_processor import AUDIO, CAPTIONS, VIDEO, ToyLogic, as_written, frame
from tests.support.toy_service import utterance

CAPTIONS_0, AUDIO_0, VIDEO_0 = Input(CAPTIONS, 0), Input(AUDIO, 0), Input(VIDEO, 0)
CODEC = Codec.with_ids_from(topics.ALL)


class PatientToy:
    """Renders what the test lets through; `faults` are raised first, one a work."""

    name, state_topic, max_in_flight = "toy", topics.TRANSCRIPTION_STATE, 4
    result = Awaited.TRANSCRIPT
    partials: Partials | None = None

    def __init__(self) -> None:
        self.logic = ToyLogic()
        self.faults: list[Exception] = []
        self.may_render = asyncio.Event()
        self.may_render.set()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        await self.may_render.wait()
        if self.faults:
            raise self.faults.pop(0)
        record = utterance(session_id, work)
        return [Output(topics.TRANSCRIPTS, record.utterance_id, record)]


class HandClock:
    """Moves when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def now_us(self) -> int:
        return int(self.seconds * 1_000_000)

    def monotonic(self) -> float:
        return self.seconds


class Bench:
    """A worker between memory and the test."""

    def __init__(self, registry_url: str = "http://127.0.0.1:1", **settings: object) -> None:
        self.application, self.inputs = PatientToy(), MemoryInputs()
        self.outbox, self.states, self.losses = MemoryOutbox(), MemoryStates(), MemoryLosses()
        self.clock, self.health = HandClock(), Health("test")
        decoder = Decoder(KafkaSettings(registry_url=registry_url), CODEC, Waiting("registry", self.health))
        connections = Connections(self.inputs, self.outbox, self.states, decoder, self.losses)
        options = ProcessorsSettings(checkpoint_interval_s=0.01, **settings)
        self.worker = Worker(self.application, connections, options, self.health, self.clock)

    async def assign(self, *partitions: int) -> "Bench":
        await self.worker.on_assigned(None, {TP(topic, p) for topic in ToyLogic.topics for p in partitions or (0,)})
        await until(self.health.is_ready)
        return self

    async def deliver(
        self, source: Input, offset: int, record: MediaRecord | bytes, generation: int = 1, written_s: float = 0.0
    ) -> None:
        value = record if isinstance(record, bytes) else encoded(source.topic, record)
        await self.worker.take(
            SimpleNamespace(
                topic=source.topic,
                partition=source.partition,
                offset=offset,
                key=b"s",
                value=value,
                generation_id=generation,
                timestamp=written_s,
            )
        )

    async def caption(self, offset: int, generation: int = 1) -> None:
        await self.deliver(CAPTIONS_0, offset, frame("s", CAPTIONS, offset + 1, 1000 + offset), generation)

    @property
    def flow(self) -> list[tuple[object, ...]]:
        return [entry for entry in self.inputs.diary if entry[0] != "commit"]

    @property
    def written(self) -> list[str]:
        return [key.decode() for topic, key, _, _ in self.outbox.sent if topic == topics.TRANSCRIPTS.name]


def encoded(topic: str, record: MediaRecord) -> bytes:
    return CODEC.encode(topics.BY_NAME[topic], as_written(topic, record))


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0)
