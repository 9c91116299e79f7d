"""A reading that goes on only as far as somebody asks, and whose processor is killed in the middle of it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

import httpx
import psutil

from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, Producer, create_producer
from connectors.kafka.settings import KafkaSettings
from deploy.local.server import Server
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.partials import UNHURRIED
from schemas import topics
from schemas.ids import partition_of
from schemas.records import MEDIA_CLASS_OF, MediaRecord, OutputKind, Utterance
from tests.support.groups import begin_at_the_ends
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.settings import kafka_settings
from tests.support.topics import values

Inputs = Mapping[str, Sequence[MediaRecord]]

TAKEN = f'rtms_processors_records_total{{topic="{topics.AUDIO.name}"}}'


def of_topic(topic_name: str, record: MediaRecord) -> MediaRecord:
    """Control records have every field that their topic's frames have."""
    kind = MEDIA_CLASS_OF[topic_name]
    if isinstance(record, kind):
        return record
    return kind(**{field.name: getattr(record, field.name) for field in fields(MediaRecord)})


def send(
    producer: Producer, kafka: KafkaSettings, decoder: Decoder, topic_name: str, record: MediaRecord, in_s: float = 0.0
) -> None:
    """Write a record as if it had been received just now, or so much later."""
    arrived_us = time.time_ns() // 1000 + round(in_s * 1_000_000)
    written = replace(of_topic(topic_name, record), arrived_us=arrived_us)
    value = decoder.codec.encode(topics.BY_NAME[topic_name], written)
    session = record.session_id
    producer.send(topics.BY_NAME[topic_name], session.encode(), value, partition_of(session, kafka.partitions))


def kill_alone(process: Server) -> None:
    """kill -9 of the processor itself: its recogniser processes must notice and go by themselves."""
    assert process.pid is not None
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not any(p.is_running() for p in family), PATIENCE_S, lambda: f"orphans stayed: {family}")
    process.kill()


def is_for_partials(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return tuple(process.cmdline()) == UNHURRIED
    return False


@dataclass
class Aloud:
    """A reading that goes on only as far as somebody asks.

    `is_asked`: whether anybody was asked for a partial since the processor began.
    """

    process: Server
    kafka: KafkaSettings
    name: str
    left: list[MediaRecord]
    is_asked: Callable[[], bool]

    def __post_init__(self) -> None:
        self.decoder, self.producer = Decoder.from_settings(self.kafka), create_producer(self.kafka, CONTROL)

    def go_on(self, count: int) -> None:
        for record in self.left[:count]:  # never late: how busy this machine is decides nothing
            send(self.producer, self.kafka, self.decoder, topics.AUDIO.name, record, in_s=PATIENCE_S)
        del self.left[:count]
        assert self.producer.flush(PATIENCE_S) == 0

    def partials(self) -> Sequence[Utterance]:
        return values(self.kafka, topics.TRANSCRIPT_PARTIALS, [self.name])

    def until_shown(self, known: int) -> Utterance:
        """Read on, a tenth of a second at a time, until there are more partials than are known; the first of them.

        It waits for the listener, and while a process is asked: however slow they are, enough is left to read.
        """
        while not self.is_asked():
            assert self.left, "all was read and nobody was asked what it is"
            heard = self.heard()
            self.go_on(1)
            wait_for(lambda: self.heard() > heard, PATIENCE_S, lambda: f"nobody listens: see {self.process.log}")  # noqa: B023
        wait_for(lambda: len(self.partials()) > known, PATIENCE_S, lambda: f"nothing was shown: see {self.process.log}")
        return self.partials()[known]

    def heard(self) -> float:
        """How many records of sound the processor has taken."""
        text = httpx.get(f"{self.process.url}/metrics", timeout=PATIENCE_S, trust_env=False, verify=False).text
        lines = (line.split() for line in text.splitlines())
        return next((float(line[1]) for line in lines if line[0] == TAKEN), 0.0)

    def finals(self) -> list[Utterance]:
        return values(self.kafka, topics.TRANSCRIPTS, [self.name])


async def killed_aloud(
    env: Mapping[str, str], folder: Path, inputs: Inputs, is_asked: Callable[[Server], bool]
) -> tuple[Aloud, Utterance]:
    """A reading whose processor is killed in the middle of an utterance: its successor goes on showing the same one.

    The first partial, of all that `Aloud` knows in the end.
    """
    kafka, name = kafka_settings(dict(env)), inputs[topics.AUDIO.name][0].session_id
    prefix = f"{uuid.uuid4().hex}-"
    env = {**env, "RTMS_PROCESSORS_GROUP_PREFIX": prefix, "RTMS_PROCESSORS_INSTANCE_ID": "0"}
    # Utterances of other meetings come first, and nothing is shown while one of them waits.
    begin_at_the_ends(kafka, f"{prefix}transcription", TranscriptionLogic.topics)
    process = service(["-m", "processors", "transcription"], env, folder / "transcription.log")
    aloud = Aloud(process, kafka, name, list(inputs[topics.AUDIO.name]), lambda: is_asked(process))
    for record in inputs[topics.CAPTIONS.name]:
        send(aloud.producer, kafka, aloud.decoder, topics.CAPTIONS.name, record)

    def spoken() -> Utterance:
        aloud.go_on(12)
        first = aloud.until_shown(0)
        assert aloud.finals() == [], "nothing is final while somebody speaks"
        kill_alone(process)
        known = len(aloud.partials())  # before its successor may show something
        process.launch()
        process.wait_ready()
        aloud.until_shown(known)
        aloud.go_on(len(aloud.left))
        has_ended = lambda: any(u.kind is OutputKind.END for u in aloud.finals())  # noqa: E731
        wait_for(has_ended, PATIENCE_S, lambda: f"no end: see {process.log}")
        return first

    process.start()
    try:
        process.wait_ready()
        return aloud, await asyncio.to_thread(spoken)
    finally:
        aloud.producer.close()
        process.stop()
