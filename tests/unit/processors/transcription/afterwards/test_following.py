"""What a member of the group hears of the sessions in its partitions."""

import pytest

from connectors.kafka.errors import Fatal, NotMember, OffsetOutOfRange, TimedOut
from connectors.kafka.records import BEGINNING, Place, Record
from processors.shell import following
from processors.shell.following import Following
from processors.transcription.afterwards.due import Due
from tests.unit.schemas.test_async_transcriptions import asked, fact, life

PLACE = Place("app-sessions", 3)


class Member:
    """Its library's side: what is there to be read, and what a commit meets."""

    def __init__(self):
        self.batches, self.committed, self.refusal, self.sought = [], [], None, []
        self.is_closed, self.at = False, 0

    def consume(self, wait_s):
        batch = self.batches.pop(0) if self.batches else []
        if isinstance(batch, Exception):
            raise batch
        for record in batch:
            self.at = record.offset + 1
        return batch

    def assignment(self):
        return frozenset({PLACE})

    def position(self, place):
        return self.at

    def commit(self, offsets):
        if self.refusal is not None:
            raise self.refusal
        if offsets:
            self.committed.append(offsets)

    def seek(self, place, offset):
        self.sought.append((place, offset))
        self.at = 0

    def close(self):
        self.is_closed = True


class Directory:
    """Where the partition ends."""

    def __init__(self):
        self.end = 0

    def ends(self, places, timeout_s):
        return dict.fromkeys(places, self.end)


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
def directory(monkeypatch):
    directory = Directory()
    monkeypatch.setattr(following, "OffsetDirectory", lambda kafka: directory)
    return directory


@pytest.fixture
def followed(member, directory):
    return Following(None, "", Decoded(), Due())


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
    assert member.committed == [{PLACE: 1}, {PLACE: 2}, {PLACE: 3}]


def test_nothing_is_made_by_states_that_were_old_when_the_partition_came(member, directory, followed):
    one, directory.end = life(asked()), 5
    followed.on_assigned({PLACE: 5})
    done = life(fact("begun"), fact("stored"), state=one)
    member.batches = [[record(0, one)], [], [record(1, life(fact("begun"), state=one)), record(2, done)]]
    assert [names(followed.step()) for _ in range(3)] == [[]] * 3
    assert member.committed == [], "lower than what was committed before"
    member.at = 5  # what is behind the last record is none that can be had
    member.batches = [[], [record(5, life(asked("tran_2"), state=done))]]
    assert [names(followed.step()) for _ in range(2)] == [[], ["tran_2"]]
    assert member.committed == [{PLACE: 5}, {PLACE: 6}]


def test_what_is_unfinished_at_the_end_is_made(member, directory, followed):
    directory.end = 2
    followed.on_assigned({PLACE: 2})
    member.batches = [[record(0, life(asked()))], [record(1, life(asked(), fact("begun")))]]
    assert names(followed.step()) == []
    [order] = followed.step()
    assert (order.transcription_id, order.is_begun) == ("tran_1", True)


def test_nothing_hangs_on_a_partition_that_went_before_it_was_read(member, directory, followed):
    directory.end = 9
    followed.on_assigned({PLACE: 5})
    assert names(followed.step()) == []
    followed.on_revoked([PLACE])
    directory.end = 0
    followed.on_assigned({PLACE: 5})
    member.batches = [[record(0, life(asked()))]]
    assert names(followed.step()) == ["tran_1"]


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


def test_whatever_compaction_took_is_read_on(member, directory, followed):
    directory.end = 10
    member.batches = [OffsetOutOfRange(PLACE), [record(8, life(asked()))], [record(9, life(asked("tran_2")))]]
    assert followed.step() == []
    assert member.sought == [(PLACE, BEGINNING)]
    assert names(followed.step()) == [], "it is read anew"
    assert names(followed.step()) == ["tran_2"]


def test_it_leaves(member, followed):
    followed.close()
    assert member.is_closed
