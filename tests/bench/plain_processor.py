"""Faust's rival, `python -m tests.bench.plain_processor NAME`: the same application on a plain confluent consumer.

The same decoding, logic, checkpoints and outputs in the same order of safety, in one loop. What is left out is what
costs nothing per record: taking over from a predecessor, pausing what leads, waiting for the registry.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable

from connectors.host.clock import SystemClock
from connectors.host.health import Health
from connectors.host.logs import configure
from connectors.host.signals import StopSignal
from connectors.kafka.consumer import GroupConsumer, Listener, create_consumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import SEGMENTS, TEXT, Producer, Profile, create_producer
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.sessions import Window
from processors.muxing.application import Muxing
from processors.muxing.settings import MuxingSettings
from processors.settings import ProcessorsSettings
from processors.shell.applications import Application, Output
from processors.transcription.application import TranscriptionApplication
from processors.transcription.settings import TranscriptionSettings
from schemas.keys import item_key
from schemas.records import MediaRecord, ProcessorState, Record
from schemas.topics import BY_NAME, Topic

APPLICATIONS: dict[str, tuple[Callable[[], Application], Profile]] = {
    "muxing": (lambda: Muxing(MuxingSettings()), SEGMENTS),
    "transcription": (lambda: TranscriptionApplication(TranscriptionSettings()), TEXT),
}


class Plain(Listener):
    """One round is `step`."""

    def __init__(self, application: Application, group: str, kafka: KafkaSettings, profile: Profile) -> None:
        self._application, self._group = application, group
        self._decoder, self._producer = Decoder.from_settings(kafka), create_producer(kafka, profile)
        self._assignment = Assignment(application.logic, "", {}, ())
        inputs = [BY_NAME[name] for name in application.logic.topics]
        self._consumer: GroupConsumer = create_consumer(kafka, group=group, topics=inputs, listener=self)

    @property
    def has_partitions(self) -> bool:
        return bool(self._assignment.next)

    def on_assigned(self, starts: dict[Place, int]) -> None:
        self._assignment.next.update({Input(*place): offset for place, offset in starts.items()})

    async def step(self) -> None:
        windows: list[Window] = []
        for record in self._consumer.consume(500, 0.1):
            value = self._decoder.decode(BY_NAME[record.topic], record.value or b"")
            assert isinstance(value, MediaRecord)
            source = Input(record.topic, record.partition)
            windows += self._assignment.feed(source, record.offset, value.session_id, value, len(record.value or b""))
        while windows:
            for window in windows:
                for output in await self._application.render(window.session.session_id, window.work):
                    assert isinstance(output, Output), "something of a sound meeting was put aside"
                    key = output.key(window.session.session_id)
                    self._send(output.topic, key, output.record, window.session.partition)
            self._acknowledged(self._producer)
            windows = [following for window in windows for following in self._assignment.done(window)]

    def checkpoint(self) -> None:
        unsaved = self._assignment.unsaved()
        for one in unsaved:
            state = ProcessorState(session_id=one.session.session_id, assignment=self._group, state=one.text)
            key = item_key(state.session_id, self._group)
            self._send(self._application.state_topic, key, state, one.session.partition)
        self._acknowledged(self._producer)
        for one in unsaved:
            self._assignment.saved(one)
        self._consumer.commit({Place(*source): offset for source, offset in self._assignment.committable().items()})

    def close(self) -> None:
        self._consumer.close()
        self._producer.close()

    def _send(self, topic: Topic, key: bytes, record: Record, partition: int) -> None:
        self._producer.send(topic, key, self._decoder.codec.encode(topic, record), partition)

    @staticmethod
    def _acknowledged(producer: Producer) -> None:
        assert producer.flush(30.0) == 0


async def serve(name: str) -> None:
    """Process until told to stop."""
    settings, clock, stop = ProcessorsSettings(), SystemClock(), StopSignal().install()
    create, profile = APPLICATIONS[name]
    application = create()
    health = Health(f"plain-{name}")
    health.start()
    await application.start()
    plain = Plain(application, settings.group_prefix + name, KafkaSettings(), profile)
    saved_at = clock.monotonic()
    while not stop.is_set():
        await plain.step()
        if clock.monotonic() - saved_at >= settings.checkpoint_interval_s:
            plain.checkpoint()
            saved_at = clock.monotonic()
        health.ready(plain.has_partitions)
    plain.close()
    await application.stop()
    health.stop()


def main(arguments: Iterable[str]) -> None:
    (name,) = arguments
    configure(f"plain-{name}")
    asyncio.run(serve(name))


if __name__ == "__main__":
    main(sys.argv[1:])
