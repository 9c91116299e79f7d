"""Participants killed while events flow: joins and leaves are those of an undisturbed run, each with one content."""

import random
import threading
import time
import uuid

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.decoder import Decoder
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from processors.participants.application import participant_event
from processors.participants.roster import ParticipantsLogic
from schemas import topics
from schemas.ids import partition_of, session_id
from tests.support.crash_simulation import undisturbed
from tests.support.meeting_events import events
from tests.support.processes import service, wait_for

SESSIONS = 24
STEPS = 40
KILLS = 3
SECONDS = 12.0


def identify(session, work):
    record = participant_event(session, work)
    return f"{session}/{record.event_id}", record


class Committed:
    """What a group has committed of the events topic, against its ends."""

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
        self._ends = OffsetDirectory(kafka)
        self._group = group
        self._places = [Place(topics.EVENTS.name, number) for number in range(kafka.partitions)]

    def lag(self) -> dict[Place, int]:
        wanted = ConsumerGroupTopicPartitions(self._group, [TopicPartition(*place) for place in self._places])
        answer = self._admin.list_consumer_group_offsets([wanted])[self._group].result(10)
        committed = {Place(p.topic, p.partition): max(0, p.offset) for p in answer.topic_partitions}
        return {place: end - committed[place] for place, end in self._ends.ends(self._places).items()}


def test_killed_while_events_flow(topics_ready, tmp_path):
    kafka = KafkaSettings(
        bootstrap_servers=topics_ready["RTMS_KAFKA_BOOTSTRAP_SERVERS"],
        registry_url=topics_ready["RTMS_KAFKA_REGISTRY_URL"],
        partitions=int(topics_ready["RTMS_KAFKA_PARTITIONS"]),
    )
    decoder = Decoder.from_settings(kafka)
    run = uuid.uuid4().hex
    dice = random.Random(run)
    names = [session_id("proj_kills", f"{run}-{number}") for number in range(SESSIONS)]
    meetings = {name: {topics.EVENTS.name: events(dice, name, STEPS)} for name in names}
    expected = undisturbed(ParticipantsLogic(), meetings, identify)
    env = topics_ready | {"RTMS_PROCESSORS_GROUP_PREFIX": f"{run}-", "RTMS_PROCESSORS_INSTANCE_ID": "0"}
    process = service(["-m", "processors", "participants"], env, tmp_path / "participants.log")
    process.start()
    writer = threading.Thread(target=write, args=(kafka, decoder, meetings))
    writer.start()
    committed = Committed(kafka, f"{run}-participants")
    try:
        for _ in range(KILLS):
            process.wait_ready()
            time.sleep(dice.uniform(0.3, 1.0))  # no condition to wait for: the moment is meant to be arbitrary
            process.kill()
            process.launch()
        writer.join()
        process.wait_ready()
        wait_for(lambda: not any(committed.lag().values()), 60, lambda: f"not all was committed: see {process.log}")
    finally:
        process.stop()
    found = read(kafka, decoder, set(names))
    assert {f"{record.session_id}/{record.event_id}" for record in found} == expected.keys()
    assert [record for record in found if record != expected[f"{record.session_id}/{record.event_id}"]] == []
    assert "stopped" in process.log.read_text()


def write(kafka, decoder, meetings):
    """The meetings' records, interleaved, spread over SECONDS."""
    producer = create_producer(kafka, CONTROL)
    waiting = {name: list(inputs[topics.EVENTS.name]) for name, inputs in meetings.items()}
    pause_s = SECONDS / sum(map(len, waiting.values()))
    while alive := [name for name, records in waiting.items() if records]:
        name = random.choice(alive)
        value = decoder.codec.encode(topics.EVENTS, waiting[name].pop(0))
        producer.send(topics.EVENTS, name.encode(), value, partition_of(name, kafka.partitions))
        time.sleep(pause_s)
    assert producer.close() == 0


def read(kafka, decoder, wanted):
    loader = PartitionLoader(kafka)
    places = [Place(topics.PARTICIPANT_EVENTS.name, number) for number in range(kafka.partitions)]
    try:
        found = [decoder.decode(topics.PARTICIPANT_EVENTS, record.value) for record in loader.load(places, 20)]
    finally:
        loader.close()
    return [record for record in found if record.session_id in wanted]
