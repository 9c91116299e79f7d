"""What a member of the group hears of the sessions in its partitions."""

import pytest

from connectors.kafka.errors import Fatal, NotMember, OffsetOutOfRange, TimedOut
from connectors.kafka.records import BEGINNING, Place, Record
from processors.transcription.afterwards import following
from processors.transcription.afterwards.following import Following
from tests.unit.schemas.test_async_transcriptions import asked, fact, life

PLACE = Place("app-sessions", 3)


class Member:
    """Its library's side: what is there to be read, and what a commit meets."""

    def __init__(self):
        self.batches, self.committed, self.refusal, self.sought = [], [], None, []
        self.is_closed = False

    def consume(self, wait_s):
        batch = self.batches.pop(0) if self.batches else []
        if isinstance(batch, Exception):
            raise batch
        return batch

    def assignment(self):
        return frozenset({PLACE})

    def position(self, place):
        return 7

    def commit(self, offsets):
        if self.refusal is not None:
            raise self.refusal
        self.committed.append(offsets)

    def seek(self, place, offset):
        self.sought.append((place, offset))

    def close(self):
        self.is_closed = True


class Decoded:
    """A decoder for records that carry their value as it is."""

    def decode(self, topic, value):
        return value


def record(offset, session):
    return Record(PLACE.topic, PLACE.partition, offset, 1, b"app_1", session)


@pytest.fixture
def member(monkeypatch):
    member = Member()
    monkeypatch.setattr(following, "create_consumer", lambda *_, **__: member)
    return member


@pytest.fixture
def followed(member):
    return Following(None, "", Decoded())


def names(orders):
    return [order.transcription_id for order in orders]


def test_what_is_unfinished_is_due_until_it_is_finished(member, followed):
    one = life(asked(), asked("tran_2"))
    member.batches = [
        [record(0, one)],
        [],
        [record(1, life(fact("begun"), fact("stored"), state=one))],
        [record(2, None)],
    ]
    assert [names(followed.step()) for _ in range(4)] == [["tran_1", "tran_2"], ["tran_1", "tran_2"], ["tran_2"], []]
    assert member.committed == [{PLACE: 7}] * 3


def test_partitions_that_come_are_read_from_their_beginning_and_those_that_go_are_forgotten(member, followed):
    assert followed.on_assigned({PLACE: 5}) == {PLACE: BEGINNING}
    member.batches = [[record(0, life(asked()))]]
    assert names(followed.step()) == ["tran_1"]
    followed.on_revoked([PLACE])
    assert followed.step() == []
    member.batches = [[record(0, life(asked()))]]
    assert names(followed.step()) == ["tran_1"]
    followed.on_lost([PLACE])
    assert followed.step() == []


@pytest.mark.parametrize("refusal", [NotMember("moved"), TimedOut("away")])
def test_a_commit_that_fails_costs_nothing(member, followed, refusal):
    member.batches, member.refusal = [[record(0, life(asked()))]], refusal
    assert names(followed.step()) == ["tran_1"]


def test_a_member_that_is_broken_is_said_to_be(member, followed):
    member.batches, member.refusal = [[record(0, life(asked()))]], Fatal("broken")
    with pytest.raises(Fatal):
        followed.step()


def test_whatever_compaction_took_is_read_on(member, followed):
    member.batches = [OffsetOutOfRange(PLACE), [record(9, life(asked()))]]
    assert followed.step() == []
    assert member.sought == [(PLACE, BEGINNING)]
    assert names(followed.step()) == ["tran_1"]


def test_it_leaves(member, followed):
    followed.close()
    assert member.is_closed
