"""The shell on a real broker: two workers killed and frozen while three topics flow, one of them far ahead at times.

What the application puts out is compared with what a plain batch over whole topics says. The frozen worker wakes as a
zombie whose partitions are another's.
"""

import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.settings import KafkaSettings
from deploy.local.server import Server
from schemas.ids import partition_of, session_id
from schemas.topics import BY_NAME, SESSION_FACTS, TRANSCRIPTS
from tests.support.crash_simulation import Meetings
from tests.support.groups import Lag, begin_at_the_ends
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.settings import kafka_settings
from tests.support.topics import values
from tests.support.toy_processor import ToyLogic, Work, as_written, batch, holes, meeting
from tests.support.toy_service import ToyApplication, utterance

SESSION_TIMEOUT_S = 6
LEAD_BYTES = 1500
"""So little that inputs have to be paused now and then."""


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    sessions: int = 10
    meeting_s: int = 60
    writing_s: float = 15.0
    troubles: tuple[str, ...] = ("kill", "freeze", "kill")


@pytest.mark.timeout(900)
def test_killed_and_frozen_while_three_topics_flow(topics_ready, tmp_path):
    chaos(topics_ready, tmp_path, Scale(), random.Random())


def chaos(stack: dict[str, str], folder, scale: Scale, dice: random.Random) -> None:
    kafka, run = kafka_settings(stack), uuid.uuid4().hex
    names = [session_id("proj_chaos", f"{run}-{number}") for number in range(scale.sessions)]
    meetings = {name: meeting(dice, name, scale.meeting_s) for name in names}
    env = stack | {
        "RTMS_PROCESSORS_GROUP_PREFIX": f"{run}-",
        "RTMS_PROCESSORS_SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S),
        "RTMS_PROCESSORS_HEARTBEAT_S": "1",
        "RTMS_PROCESSORS_LEAD_BYTES": str(LEAD_BYTES),
    }
    workers = [service(["-m", "tests.support.toy_service"], env, folder / f"toy-{number}.log") for number in range(2)]
    writer = threading.Thread(target=write, args=(kafka, meetings, scale.writing_s, dice))
    group = f"{run}-{ToyApplication.name}"
    begin_at_the_ends(kafka, group, ToyLogic.topics)
    lag = Lag(kafka, group, ToyLogic.topics)
    try:
        for worker in workers:
            worker.launch()
        for worker in workers:
            worker.wait_ready()
        writer.start()
        wait_for(lambda: has_resumed(workers), PATIENCE_S, lambda: f"no input had to be paused, see {folder}")
        for trouble in scale.troubles:
            make(trouble, dice.choice(workers), dice)
        writer.join()
        for worker in workers:
            worker.wait_ready()
        wait_for(lambda: not lag(), 120, lambda: f"not committed: {lag()}, see {folder}")
        wait_for(lambda: not open_sessions(kafka, meetings), PATIENCE_S, lambda: f"no last output, see {folder}")
    finally:
        for worker in workers:
            worker.stop()
    check(kafka, meetings)


def has_resumed(workers: Iterable[Server]) -> bool:
    """Whether some input led so far that it was paused, and goes on."""
    return any("input resumed" in worker.log.read_text() for worker in workers)


def make(trouble: str, worker: Server, dice: random.Random) -> None:
    """One trouble, at an arbitrary moment: there is no condition to wait for."""
    worker.wait_ready()
    time.sleep(dice.uniform(0.5, 3.0))
    if trouble == "freeze":
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        time.sleep(SESSION_TIMEOUT_S + dice.uniform(0.5, 2.0))
        os.kill(worker.pid, signal.SIGCONT)
    else:
        worker.kill()
        worker.launch()


def write(kafka: KafkaSettings, meetings: Meetings, seconds: float, dice: random.Random) -> None:
    """All records, sessions and topics interleaved in long stretches, so that one topic leads."""
    decoder, producer = Decoder.from_settings(kafka), create_producer(kafka, CONTROL)
    waiting = {(name, topic): list(rows) for name, inputs in meetings.items() for topic, rows in inputs.items()}
    pause_s = seconds / sum(map(len, waiting.values()))
    while waiting:
        topic = dice.choice(sorted({topic for _, topic in waiting}))
        for _ in range(dice.choice((1, 20, 200))):
            left = sorted(key for key in waiting if key[1] == topic)
            if not left:
                break
            name, _ = key = dice.choice(left)
            value = decoder.codec.encode(BY_NAME[topic], as_written(topic, waiting[key].pop(0)))
            producer.send(BY_NAME[topic], name.encode(), value, partition_of(name, kafka.partitions))
            if not waiting[key]:
                del waiting[key]
            time.sleep(pause_s)
    assert producer.close() == 0


def open_sessions(kafka: KafkaSettings, meetings: Meetings) -> set[str]:
    """The sessions whose last output is not there; it waits for all others, so the commit cannot wait for it."""
    found = values(kafka, TRANSCRIPTS, meetings)
    return meetings.keys() - {record.session_id for record in found if record.utterance_id.endswith("/summary")}


def check(kafka: KafkaSettings, meetings: Meetings) -> None:
    expected = {}
    for name, inputs in meetings.items():
        for item_id, content in batch(name, inputs).items():
            record = utterance(name, Work(item_id.removeprefix(f"{name}/"), content))
            expected[name, record.utterance_id] = record.text
    found = values(kafka, TRANSCRIPTS, meetings)
    ids = {(record.session_id, record.utterance_id) for record in found}
    assert (expected.keys() - ids, ids - expected.keys()) == (set(), set())
    wrong = [record for record in found if record.text != expected[record.session_id, record.utterance_id]]
    assert wrong == []
    facts = {(fact.session_id, fact.hole) for fact in values(kafka, SESSION_FACTS, meetings)}
    assert facts == {(name, hole) for name, inputs in meetings.items() for (hole,) in holes(name, inputs).values()}
    print(
        f"{sum(map(len, (r for m in meetings.values() for r in m.values())))} records in, {len(expected)} windows, "
        f"{len(found) - len(expected)} identical repetitions"
    )
