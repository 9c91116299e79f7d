"""Lifecycle killed while facts flow: no state is old, no change is missing or doubled."""

import random
import uuid

import pytest

from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from schemas import archiving, sessions, topics
from schemas.ids import partition_of, session_id
from schemas.records import FactKind, SessionFact, Stored, StreamRequest
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.settings import kafka_settings
from tests.support.topics import values

pytestmark = pytest.mark.timeout(600)

LIFE = [
    FactKind.REQUESTED,
    FactKind.CLAIMED,
    FactKind.CONNECTED,
    FactKind.STREAM_OVER,
    FactKind.DISCONNECTED,
    FactKind.RECORDING_STORED,
    FactKind.TRANSCRIPT_STORED,
    FactKind.EVENTS_STORED,
    FactKind.ARCHIVED,
    FactKind.RECALLED,
    FactKind.METADATA_REPLACED,
    FactKind.ARCHIVED,
    FactKind.RECALLED,
]
LIVES = (LIFE[:8], LIFE[:-1], LIFE)
"""A third of the sessions stays as it ended, of another nothing is left on the log, the others have come back."""
SESSIONS = 24
KILLS = 3


def lived(entries):
    """The state that facts and their offsets lead to, and all that was ever told of it."""
    state, told = None, []
    for item, offset in entries:
        after = sessions.fold(state, item, offset, 0)
        if after is not None and item.kind is not FactKind.RECALLED:
            told += sessions.changes(state, after)
        state = after
    return state, told


def before_the_last_archiving(entries):
    """The state as ClickHouse has it."""
    return lived(entries[: max(n for n, (item, _) in enumerate(entries) if item.kind is FactKind.ARCHIVED)])[0]


def fact(session, kind, epoch, entries):
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
        metadata='{"changed":1}' if kind is FactKind.METADATA_REPLACED else None,
        folded_offset=entries[-1][1] if kind is FactKind.ARCHIVED else None,
        document=archiving.as_document(before_the_last_archiving(entries)) if kind is FactKind.RECALLED else None,
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
    lives = {name: LIVES[number % len(LIVES)] for number, name in enumerate(names)}
    schedule = [(step, name) for step in range(len(LIFE)) for name in names if step < len(lives[name])]
    kills = set(dice.sample(range(len(schedule)), KILLS))
    try:
        for index, (step, name) in enumerate(schedule):
            item = fact(name, LIFE[step], epochs.get(name), facts.get(name, ()))
            value = decoder.codec.encode(topics.SESSION_FACTS, item)
            partition = partition_of(name, kafka.partitions)
            offset = producer.send_blocking(topics.SESSION_FACTS, name.encode(), value, partition)
            if item.kind is FactKind.CLAIMED:
                epochs[name] = offset
            facts.setdefault(name, []).append((item, offset))
            if index in kills:
                process.kill()
                process.launch()
        process.wait_ready()
        expectations = {name: lived(entries) for name, entries in facts.items()}

        def caught_up():
            states = newest(kafka, names)
            return all(
                (name in states) == (expected is not None)
                and (expected is None or states[name].folded_offset >= expected.folded_offset)
                for name, (expected, _) in expectations.items()
            )

        wait_for(caught_up, PATIENCE_S, lambda: f"facts were not folded: see {process.log}")
    finally:
        process.stop()
        producer.close()
    assert "stopped" in process.log.read_text()
    check(expectations, newest(kafka, names), values(kafka, topics.SESSION_CHANGES, names))


def newest(kafka, names):
    """The states that the log has of the sessions, by id; an archived one is not there."""
    decoder, loader, found = Decoder.from_settings(kafka), PartitionLoader(kafka), {}
    try:
        for record in loader.load(
            [Place(topics.APP_SESSIONS.name, number) for number in range(kafka.partitions)], PATIENCE_S
        ):
            found[record.key.decode()] = record.value
    finally:
        loader.close()
    return {
        name: decoder.decode(topics.APP_SESSIONS, value)
        for name, value in found.items()
        if name in names and value is not None
    }


def check(expectations, states, changes):
    for name, (expected, history) in expectations.items():
        told = [change for change in changes if change.session_id == name]
        assert [change.sequence for change in told] == list(range(len(history)))
        assert [change.change.event_type for change in told] == [change.change.event_type for change in history]
        if expected is None:
            assert name not in states
            continue
        assert states[name].state == expected.state == sessions.State.ENDED
        assert (states[name].folded_offset, states[name].metadata) == (expected.folded_offset, expected.metadata)
        if expected.metadata is None:  # else it was recalled from a document of ours, which has no times
            assert [change.change for change in told] == list(states[name].history)
