"""Participants killed while they come, go and write: what is told is an undisturbed run's, each with one content."""

import random
import threading
import time
import uuid

import pytest

from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from processors.checkpoint.missing import Missing
from processors.participants.application import participant_event, pausing
from processors.participants.logic import ParticipantsLogic
from processors.participants.roster import Pausing
from schemas import topics
from schemas.ids import partition_of, session_id
from schemas.records import OutputKind
from tests.support.crash_simulation import undisturbed
from tests.support.groups import Lag, begin_at_the_ends
from tests.support.meeting_events import meeting
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.settings import kafka_settings
from tests.support.topics import values

SESSIONS = 24
STEPS = 40
KILLS = 3
SECONDS = 12.0


def identify(session, work):
    if isinstance(work, Missing):
        return hole_id(session, work.hole), work.hole
    if isinstance(work, Pausing):
        return pause_id(pausing(session, work)), pausing(session, work)
    record = participant_event(session, work)
    return f"{session}/{record.event_id}", record


def hole_id(session, hole):
    return f"{session}/hole-{hole.medium}-{hole.from_ms}-{hole.to_ms}"


def pause_id(fact):
    return f"{fact.session_id}/pause-{fact.kind}-{fact.as_of_ms}"


@pytest.mark.timeout(900)
def test_killed_while_events_flow(topics_ready, tmp_path):
    kafka = kafka_settings(topics_ready)
    decoder = Decoder.from_settings(kafka)
    run = uuid.uuid4().hex
    dice = random.Random(run)
    names = [session_id("proj_kills", f"{run}-{number}") for number in range(SESSIONS)]
    meetings = {name: meeting(dice, name, STEPS) for name in names}
    expected = undisturbed(ParticipantsLogic(), meetings, identify)
    env = topics_ready | {"RTMS_PROCESSORS_GROUP_PREFIX": f"{run}-", "RTMS_PROCESSORS_INSTANCE_ID": "0"}
    process = service(["-m", "processors", "participants"], env, tmp_path / "participants.log")
    begin_at_the_ends(kafka, f"{run}-participants", ParticipantsLogic.topics)
    process.start()
    writer = threading.Thread(target=write, args=(kafka, decoder, meetings))
    writer.start()
    lag = Lag(kafka, f"{run}-participants", ParticipantsLogic.topics)
    try:
        for _ in range(KILLS):
            process.wait_ready()
            time.sleep(dice.uniform(0.3, 1.0))  # no condition to wait for: the moment is meant to be arbitrary
            process.kill()
            process.launch()
        writer.join()
        process.wait_ready()
        wait_for(lambda: not lag(), PATIENCE_S, lambda: f"not committed: {lag()}, see {process.log}")
        wait_for(
            lambda: ended(kafka, names) == set(names), PATIENCE_S, lambda: f"not all have ended: see {process.log}"
        )
    finally:
        process.stop()
    facts = values(kafka, topics.SESSION_FACTS, names)
    holes = {key: expected.pop(key) for key in list(expected) if "hole" in key}
    assert {hole_id(fact.session_id, fact.hole): fact.hole for fact in facts if fact.hole} == holes
    pauses = {key: expected.pop(key) for key in list(expected) if "/pause-" in key}
    assert {pause_id(fact): fact for fact in facts if not fact.hole} == pauses
    found = values(kafka, topics.PARTICIPANT_EVENTS, names)
    assert {f"{record.session_id}/{record.event_id}" for record in found} == expected.keys()
    assert [record for record in found if record != expected[f"{record.session_id}/{record.event_id}"]] == []
    assert "stopped" in process.log.read_text()


def ended(kafka, names):
    found = values(kafka, topics.PARTICIPANT_EVENTS, names)
    return {record.session_id for record in found if record.kind is OutputKind.END}


def write(kafka, decoder, meetings):
    """The meetings' records, interleaved, spread over SECONDS."""
    producer = create_producer(kafka, CONTROL)
    waiting = {(name, topic): list(records) for name, inputs in meetings.items() for topic, records in inputs.items()}
    pause_s = SECONDS / sum(map(len, waiting.values()))
    while alive := [source for source, records in waiting.items() if records]:
        source = name, topic = random.choice(alive)
        value = decoder.codec.encode(topics.BY_NAME[topic], waiting[source].pop(0))
        producer.send(topics.BY_NAME[topic], name.encode(), value, partition_of(name, kafka.partitions))
        time.sleep(pause_s)
    assert producer.close() == 0
