"""A round of lifecycle's loop when its input is not what it was."""

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from connectors.host.health import Health
from connectors.host.waiting import Waiting
from connectors.kafka.errors import OffsetOutOfRange, TimedOut
from connectors.kafka.records import BEGINNING, Place, Record
from connectors.kafka.registry import RegistryError
from processors.lifecycle.batch import FoldedBatch
from processors.lifecycle.service import Connections, Lifecycle, States
from processors.lifecycle.settings import LifecycleSettings
from schemas import sessions, topics
from schemas.codec import Codec
from schemas.records import FactKind, SessionFact, StreamRequest
from tests.support.memory_losses import MemoryLosses
from tests.unit.schemas.test_async_transcriptions import over

PLACE = Place(topics.SESSION_FACTS.name, 3)
CODEC = Codec.with_ids_from(topics.ALL)
REQUESTED = SessionFact(
    session_id="app_1", kind=FactKind.REQUESTED, project_id="p", request=StreamRequest(
        product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"
    ),
)  # fmt: skip


class OvertakenConsumer:
    """Retention was faster, once."""

    def __init__(self):
        self.failures, self.sought = [OffsetOutOfRange(PLACE)], []

    def consume(self, *_, **__):
        if self.failures:
            raise self.failures.pop()
        return []

    def assignment(self):
        return frozenset({PLACE})

    def seek(self, place, offset):
        self.sought.append((place, offset))


def overtaken():
    consumer, losses = OvertakenConsumer(), MemoryLosses()
    connections = Connections(consumer, None, None, None, losses)
    return consumer, losses, Lifecycle(connections, LifecycleSettings(), Health("lifecycle"), "id")


def test_facts_that_retention_took_are_stated_as_lost_and_not_met_again_in_every_restart():
    consumer, losses, lifecycle = overtaken()
    lifecycle.step()
    lifecycle.step()
    assert losses.stated == [PLACE]
    assert consumer.sought == [(PLACE, BEGINNING)]


def test_a_loss_that_cannot_be_stated_is_not_passed_over():
    consumer, losses, lifecycle = overtaken()
    losses.errors = [TimedOut("away")]
    with pytest.raises(TimedOut):
        lifecycle.step()
    assert consumer.sought == []


class AwayOnce:
    """A decoder whose registry is away for the first look-up."""

    def __init__(self, health):
        self.waiting, self.is_away = Waiting("registry", health), True

    def decode(self, topic, data):
        if self.is_away and topic is topics.APP_SESSIONS:
            raise RegistryError("registry unreachable", retryable=True)
        return CODEC.decode(topic, data)


class Loader:
    def __init__(self, *records):
        self.records = records

    def load(self, _places, _timeout_s):
        return iter(self.records)


class OneBatch:
    """A consumer that gives one batch, and again what was put back."""

    def __init__(self, batch):
        self.batches, self.back = [batch], []

    def consume(self, *_, **__):
        return self.batches.pop() if self.batches else []

    def assignment(self):
        return frozenset({PLACE})

    def put_back(self, offsets, _rest_s):
        self.back.append(offsets)


def test_states_that_only_the_registry_can_explain_are_waited_for_before_the_first_fold():
    """In the callback of an assignment nobody can wait, and folding onto nothing would begin the session anew."""
    state = sessions.fold(None, REQUESTED, 0, 1)
    fact = Record(*PLACE, 9, 0, b"app_1", CODEC.encode(topics.SESSION_FACTS, REQUESTED))
    kept = Record(topics.APP_SESSIONS.name, PLACE.partition, 4, 0, b"app_1", CODEC.encode(topics.APP_SESSIONS, state))
    health = Health("lifecycle")
    health.ready(True)
    decoder, consumer, folded = AwayOnce(health), OneBatch([fact]), []
    states = States(Loader(kept), decoder, 1.0)
    states.on_assigned({PLACE: 9})
    lifecycle = Lifecycle(
        Connections(consumer, None, decoder, states, MemoryLosses()), LifecycleSettings(), health, "id"
    )
    lifecycle._fold = lambda understood: folded.append((understood[0].record.offset, states.of({PLACE.partition})))
    lifecycle.step()
    assert (folded, consumer.back, health.is_ready()) == ([], [{PLACE: 9}], False)
    decoder.is_away, consumer.batches = False, [[fact]]
    lifecycle.step()
    assert folded == [(9, {"app_1": state})]
    assert health.is_ready()


def test_facts_that_only_the_registry_can_explain_do_not_end_the_process():
    health = Health("lifecycle")
    health.ready(True)
    consumer = OneBatch([Record(*PLACE, 9, 0, b"app_1", CODEC.encode(topics.SESSION_FACTS, REQUESTED))])
    decoder = AwayOnce(health)
    decoder.decode = lambda *_: (_ for _ in ()).throw(RegistryError("registry unreachable", retryable=True))
    lifecycle = Lifecycle(Connections(consumer, None, decoder, None, MemoryLosses()), LifecycleSettings(), health, "id")
    lifecycle.step()
    assert (consumer.back, health.is_ready()) == ([{PLACE: 9}], False)


def test_what_leaves_a_session_in_its_state_is_not_counted_as_one_that_came_into_it():
    request = SessionFact(
        session_id="app_1", kind=FactKind.ASYNC_TRANSCRIPTION_REQUESTED, transcription_id="tran_1", settings="{}"
    )
    asked = sessions.fold(over(), request, 1, 1)
    begun = sessions.fold(asked, replace(request, kind=FactKind.ASYNC_TRANSCRIPTION_BEGUN), 2, 2)
    entered = sessions.fold(None, REQUESTED, 0, 1)
    folded = FoldedBatch()
    folded.changes += [*sessions.changes(asked, begun), *sessions.changes(None, entered)]
    lifecycle = overtaken()[2]
    before = {state: counted(state) for state in ("ended", "connecting")}
    lifecycle._count([], folded, [])
    assert {state: counted(state) - before[state] for state in before} == {"ended": 0, "connecting": 1}


def counted(state):
    return REGISTRY.get_sample_value("rtms_lifecycle_changes_total", {"state": state}) or 0.0
