"""The whole processor killed in the middle of a meeting: the transcript is that of an undisturbed run."""

import asyncio
import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields

import psutil

from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.settings import KafkaSettings
from deploy.local.server import Server
from processors.transcription.application import TranscriptionApplication
from processors.transcription.settings import TranscriptionSettings
from schemas import topics
from schemas.ids import partition_of, session_id
from schemas.records import CLASS_OF, MediaRecord, OutputKind, Record, Utterance
from tests.support import readings
from tests.support.processes import service, wait_for
from tests.support.settings import kafka_settings
from tests.support.spoken import START_MS, Microphone, caption, frames, topic
from tests.support.topics import values
from tests.support.transcribed import transcribed

Inputs = Mapping[str, Sequence[MediaRecord]]

T = START_MS
MEETING_MS = 26_000
SPEED = 1.5
KILLS = 3


def meeting(name: str) -> Inputs:
    """Two people who read, at times both at once, and Zoom's captions of a third."""
    long, short = readings.reading("two_cities"), readings.reading("beckett")
    microphones = [
        Microphone(1, T, long.pcm[: 32 * (MEETING_MS - 1500)], "Ada"),
        Microphone(2, T + 6000, short.pcm, "Bo"),
    ]
    said = [caption(name, number, T + 2000 * number, f"line {number}") for number in range(12)]
    return {
        topics.AUDIO.name: topic(name, frames(name, microphones), until_ms=T + MEETING_MS),
        topics.CAPTIONS.name: topic(name, said, until_ms=T + MEETING_MS),
    }


async def undisturbed(name: str, inputs: Inputs) -> list[Utterance]:
    application = TranscriptionApplication(TranscriptionSettings())
    try:
        return await transcribed(application, name, inputs)
    finally:
        await application.stop()


def of_topic(topic_name: str, record: MediaRecord) -> Record:
    """Control records have every field that their topic's frames have."""
    kind = CLASS_OF[topic_name]
    if isinstance(record, kind):
        return record
    return kind(**{field.name: getattr(record, field.name) for field in fields(MediaRecord)})


def write(kafka: KafkaSettings, decoder: Decoder, name: str, inputs: Inputs) -> None:
    """Both topics in step with the meeting's own clock, only faster."""
    producer = create_producer(kafka, CONTROL)
    rows = [(record.timestamp_ms, name_, record) for name_, records in inputs.items() for record in records]
    began = time.monotonic()
    for at_ms, name_, record in sorted(rows, key=lambda row: row[0]):
        time.sleep(max(0.0, began + (at_ms - T) / 1000 / SPEED - time.monotonic()))
        value = decoder.codec.encode(topics.BY_NAME[name_], of_topic(name_, record))
        producer.send(topics.BY_NAME[name_], name.encode(), value, partition_of(name, kafka.partitions))
    assert producer.close() == 0


def kill_alone(process: Server) -> None:
    """kill -9 of the processor itself: its recogniser processes must notice and go by themselves."""
    assert process.pid is not None
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not any(p.is_running() for p in family), 30, lambda: f"orphans stayed: {family}")
    process.kill()


async def test_killed_in_the_middle_of_a_meeting(topics_ready, tmp_path) -> None:
    kafka = kafka_settings(topics_ready)
    decoder = Decoder.from_settings(kafka)
    run = uuid.uuid4().hex
    name = session_id("proj_kills", run)
    inputs = meeting(name)
    expected = await undisturbed(name, inputs)
    env = topics_ready | {"RTMS_PROCESSORS_GROUP_PREFIX": f"{run}-", "RTMS_PROCESSORS_INSTANCE_ID": "0"}
    process = service(["-m", "processors", "transcription"], env, tmp_path / "transcription.log")

    def found() -> list[Utterance]:
        return values(kafka, topics.TRANSCRIPTS, [name])

    def disturb() -> None:
        dice = random.Random(run)
        process.start()
        writer = threading.Thread(target=write, args=(kafka, decoder, name, inputs))
        writer.start()
        try:
            for _ in range(KILLS):
                process.wait_ready()
                time.sleep(dice.uniform(0.5, 3.0))  # no condition to wait for: the moment is meant to be arbitrary
                kill_alone(process)
                process.launch()
            writer.join()
            has_ended = lambda: any(u.kind is OutputKind.END for u in found())  # noqa: E731
            wait_for(has_ended, 90, lambda: f"the transcript has no end: see {process.log}")
        finally:
            writer.join()
            process.stop()

    await asyncio.to_thread(disturb)
    written = found()
    assert {u.utterance_id: u for u in written} == {u.utterance_id: u for u in expected}
    assert [u for u in written if u not in expected] == []
    assert written[-1].kind is OutputKind.END
    assert "stopped" in process.log.read_text()
