"""What is known of deletions, whatever the order in which it can be understood."""

import threading
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from connectors.kafka.deletions import Deletions
from connectors.kafka.errors import TimedOut
from connectors.kafka.records import Record
from connectors.kafka.registry import RegistryError
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec, Undecodable
from schemas.deletion import Part
from schemas.ids import partition_of
from schemas.records import AppSession, Deletion, ErasedPart, StreamRequest

CODEC = Codec.with_ids_from(topics.ALL)
REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
SESSION = AppSession(
    session_id="app_1", project_id="proj_1", state="ended", request=REQUEST, settings="{}", metadata=None, history=(),
    recording_state="", transcription_state="", awaiting=(), created_at_ms=1, epoch=-1, folded_offset=0,
)  # fmt: skip
ASKED = Deletion(reason="asked", asked_at_ms=1)
WHOLE = replace(ASKED, parts=tuple(ErasedPart(part=part, count=1, erased_at_ms=1) for part in Part))
PARTITION = partition_of("app_1", 8)


class Registry:
    """A decoder whose registry is away until `back` is set; `strange` values need it."""

    def __init__(self):
        self.back, self.strange = threading.Event(), set()

    def decode(self, topic, value):
        if value in self.strange and not self.back.is_set():
            raise RegistryError("away")
        return CODEC.decode(topic, value)

    def decode_patiently(self, topic, value, wait):
        while not self.back.wait(0.001):
            if wait(0):
                return None
        return CODEC.decode(topic, value)


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def deletions(registry, monkeypatch):
    made = Deletions(KafkaSettings(partitions=8), registry)
    monkeypatch.setattr(made._view, "wait_to_stable_end", lambda partitions, timeout_s: None)
    yield made
    made._closing.set()


def state(deletion, session_id="app_1", offset=0):
    value = CODEC.encode(topics.APP_SESSIONS, replace(SESSION, deletion=deletion, folded_offset=offset))
    return Record(topics.APP_SESSIONS.name, PARTITION, offset, 0, session_id.encode(), value)


def test_a_session_is_deleted_for_ever_and_unfinished_until_everybody_has_said_so(deletions):
    deletions._apply(state(None))
    assert (deletions.get("app_1"), deletions.by_now(["app_1"])) == (None, frozenset())
    deletions._apply(state(ASKED))
    assert deletions.by_now(["app_1", "app_2"]) == {"app_1"}
    [due] = deletions.unfinished([Part.ROWS], {PARTITION})
    assert (due.session_id, due.project_id, due.partition) == ("app_1", "proj_1", PARTITION)
    assert deletions.unfinished([Part.ROWS], {PARTITION + 1}) == []
    deletions._apply(state(replace(WHOLE, parts=WHOLE.parts[:1])))
    assert deletions.unfinished([Part(WHOLE.parts[0].part)], {PARTITION}) == []
    assert deletions.unfinished(list(Part), {PARTITION})
    deletions._apply(state(WHOLE))
    assert (deletions.unfinished(list(Part), {PARTITION}), deletions.get("app_1") is None) == ([], False)


def test_what_is_archived_is_forgotten_and_may_be_deleted_anew(deletions):
    for known in (WHOLE, ASKED):
        deletions._apply(state(known))
        deletions._apply(state(None)._replace(value=None, offset=1))
        assert (deletions.get("app_1"), deletions.unfinished(list(Part), {PARTITION})) == (None, [])
    deletions._apply(state(ASKED, offset=2))
    assert deletions.by_now(["app_1"]) == {"app_1"}


def test_who_listens_hears_every_state_and_that_it_is_archived(registry):
    heard = []
    deletions = Deletions(KafkaSettings(partitions=8), registry, hear=lambda record, state: heard.append(state))
    strange = state(ASKED, offset=1)
    registry.strange = {strange.value}
    for record in (state(None), strange, strange._replace(value=None, offset=2), state(ASKED, "app_another")):
        deletions._apply(record)
    registry.back.set()
    for thread in [thread for thread in threading.enumerate() if thread.name == "unexplained"]:
        thread.join(60)
    assert heard == [SESSION, None], "what was archived before it could be explained is not heard of any more"
    assert deletions.get("app_1") is None


def test_what_is_no_state_says_nothing(deletions):
    deletions._apply(state(ASKED, "app_another"))
    deletions._apply(state(ASKED)._replace(value=b"garbage"))
    deletions._apply(state(ASKED)._replace(value=None))
    with pytest.raises(Undecodable):
        CODEC.decode(topics.APP_SESSIONS, b"garbage")
    assert deletions.by_now(["app_1", "app_another"]) == frozenset()


def test_while_only_the_registry_could_say_nobody_may_rely_on_it_and_others_are_known(deletions, registry):
    strange = state(ASKED)
    registry.strange = {strange.value}
    deletions._apply(strange)
    with pytest.raises(TimedOut):
        deletions.by_now(["app_1"])
    assert deletions.by_now(["app_2"]) == frozenset()
    registry.back.set()
    explaining = [thread for thread in threading.enumerate() if thread.name == "unexplained"]
    for thread in explaining:
        thread.join(60)
    assert deletions.by_now(["app_1"]) == {"app_1"}


def test_one_thread_waits_however_often_a_session_changes_meanwhile(deletions, registry):
    for offset in range(5):
        record = state(ASKED, offset=offset)
        registry.strange.add(record.value)
        deletions._apply(record)
    explaining = [thread for thread in threading.enumerate() if thread.name == "unexplained"]
    assert len(explaining) == 1
    registry.back.set()
    explaining[0].join()
    assert deletions.get("app_1") is not None


def test_what_could_not_be_explained_does_not_undo_what_is_newer(deletions, registry):
    strange = state(ASKED)
    registry.strange = {strange.value}
    deletions._apply(strange)
    deletions._apply(state(WHOLE, offset=1))
    registry.back.set()
    for thread in [thread for thread in threading.enumerate() if thread.name == "unexplained"]:
        thread.join(60)
    assert deletions.by_now(["app_1"]) == {"app_1"}
    assert deletions.unfinished(list(Part), {PARTITION}) == []


class Failing(Registry):
    """Which comes back with something that is neither an answer nor a refusal, for one of the values."""

    unreadable = b""

    def decode_patiently(self, topic, value, wait):
        found = super().decode_patiently(topic, value, wait)
        if value == self.unreadable:
            raise ValueError("no schema at all")
        return found


def explained(deletions, registry, *records):
    """Once the registry is back."""
    registry.back.clear()
    registry.strange |= {record.value for record in records}
    for record in records:
        deletions._apply(record)
    explaining = [thread for thread in threading.enumerate() if thread.name == "unexplained"]
    registry.back.set()
    for thread in explaining:
        thread.join(60)


@pytest.mark.parametrize("registry", [Failing()])
def test_a_record_that_cannot_be_explained_keeps_nobody_from_knowing_the_others(deletions, registry):
    odd = state(None, "app_odd")
    registry.unreadable = odd.value
    with capture_logs() as lines:
        explained(deletions, registry, odd, state(ASKED))
    assert deletions.by_now(["app_odd", "app_1"]) == {"app_1"}
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["a record could not be explained"]
    explained(deletions, registry, state(ASKED, "app_1", offset=1))
    assert deletions.by_now(["app_1"]) == {"app_1"}


def test_whoever_fails_to_hear_of_a_state_does_not_end_that_states_are_explained(registry):
    def hear(record, state):
        raise ValueError("not this one")

    deletions = Deletions(KafkaSettings(partitions=8), registry, hear=hear)
    deletions._view.wait_to_stable_end = lambda partitions, timeout_s: None
    for offset in range(2):
        explained(deletions, registry, state(ASKED, offset=offset))
        assert deletions.by_now(["app_1"]) == frozenset(), "as of a state that was understood at once"


def test_without_sessions_nobody_is_asked(deletions, monkeypatch):
    monkeypatch.setattr(deletions._view, "wait_to_stable_end", None)
    assert deletions.by_now([]) == frozenset()
