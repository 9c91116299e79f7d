"""Lifecycle killed while facts flow: no state is old, no change is missing or doubled."""

import random
import uuid

from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from schemas import sessions, topics
from schemas.ids import partition_of, session_id
from schemas.records import FactKind, SessionFact, Stored, StreamRequest
from tests.support.processes import service, wait_for
from tests.support.settings import kafka_settings
from tests.support.topics import values

LIFE = [
    FactKind.REQUESTED,
    FactKind.CLAIMED,
    FactKind.CONNECTED,
    FactKind.STREAM_OVER,
    FactKind.DISCONNECTED,
    FactKind.RECORDING_STORED,
    FactKind.TRANSCRIPT_STORED,
    FactKind.EVENTS_STORED,
]
SESSIONS = 24
KILLS = 3


def fact(session, kind, epoch):
    request = StreamRequest(
        product="meeting", meeting_id="m", stream_id=session, server_urls=("wss://x",), zoom_app_id="z"
    )
    fenced = kind in (FactKind.CONNECTED, FactKind.STREAM_OVER, FactKind.DISCONNECTED)
    return SessionFact(
        session_id=session,
        kind=kind,
        project_id="proj_kills",
        request=request if kind is FactKind.REQUESTED else None,
        stored=Stored(key="k") if kind is FactKind.RECORDING_STORED else None,
        epoch=epoch if fenced else None,
        worker="w",
    )


def test_killed_while_facts_flow(topics_ready, tmp_path):
    kafka = kafka_settings(topics_ready)
    decoder = Decoder.from_settings(kafka)
    producer = create_producer(kafka, CONTROL)
    run = uuid.uuid4().hex
    names = [session_id("proj_kills", f"{run}-{number}") for number in range(SESSIONS)]
    env = topics_ready | {"RTMS_LIFECYCLE_INSTANCE_ID": f"lifecycle-{run}"}
    process = service(["-m", "processors", "lifecycle"], env, tmp_path / "lifecycle.log")
    process.start()
    dice = random.Random(run)
    epochs, facts = {}, {}
    schedule = [(step, name) for step in range(len(LIFE)) for name in names]
    kills = set(dice.sample(range(len(schedule)), KILLS))
    try:
        for index, (step, name) in enumerate(schedule):
            item = fact(name, LIFE[step], epochs.get(name))
            value = decoder.codec.encode(topics.SESSION_FACTS, item)
            offset = producer.send_blocking(topics.SESSION_FACTS, name.encode(), value, partition_of(name, 8))
            if item.kind is FactKind.CLAIMED:
                epochs[name] = offset
            facts.setdefault(name, []).append((item, offset))
            if index in kills:
                process.kill()
                process.launch()
        process.wait_ready()
        last = {name: entries[-1][1] for name, entries in facts.items()}

        def caught_up():
            states = {state.session_id: state for state in values(kafka, topics.APP_SESSIONS, last)}
            return all(name in states and states[name].folded_offset >= last[name] for name in last)

        wait_for(caught_up, 60, lambda: f"facts were not folded: see {process.log}")
    finally:
        process.stop()
        producer.close()
    assert "stopped" in process.log.read_text()
    check(facts, values(kafka, topics.APP_SESSIONS, last), values(kafka, topics.SESSION_CHANGES, last))


def check(facts, states, changes):
    newest = {state.session_id: state for state in states}
    for name, entries in facts.items():
        expected = None
        for item, offset in entries:
            expected = sessions.fold(expected, item, offset, 0)
        assert newest[name].state == expected.state == sessions.State.ENDED
        assert newest[name].folded_offset == entries[-1][1]
        assert [entry.event_type for entry in newest[name].history] == [e.event_type for e in expected.history]
        told = [change for change in changes if change.session_id == name]
        assert [change.sequence for change in told] == list(range(len(expected.history)))
        assert [change.change for change in told] == list(newest[name].history)
