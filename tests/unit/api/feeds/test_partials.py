"""What is still being said, beside a feed: for those who are there and want it, and never of what is final."""

import asyncio
import json
import random
from dataclasses import replace

import pytest

from api.feeds.cursors import NEW, Cursor
from api.feeds.events import Event
from api.feeds.news import Entry
from schemas.records import Deletion, Utterance, UtteranceStatus
from tests.unit.api.feeds.played import END, SESSION, Log, Reading, Replica, said, settle

TRANSCRIPTS = ("transcripts", "app_1")


def partial(number: int, revision: int = 800, text: str = "hel") -> Utterance:
    return replace(said(number), revision=revision, text=text, status=UtteranceStatus.PARTIAL)


def final(number: int) -> Utterance:
    return said(number, 20_001)


def withdrawn(number: int) -> Utterance:
    return partial(number, 20_001, "")


def show(replica: Replica, utterance: Utterance) -> None:
    replica.feeds._show(TRANSCRIPTS, Entry(0, 0, "", utterance))


async def reading(replica: Replica, after: Cursor | None = None, *, wants: bool = True) -> Reading:
    reader = replica.reader(after or Cursor(3, NEW))
    reader.wants_partials = wants
    begun = Reading(reader)
    await settle()
    return begun


def seen(events: list[Event]) -> list[tuple[str, str]]:
    """Id and status of each utterance."""
    documents = [json.loads(event.data) for event in events if event.name == "utterance"]
    return [(document["id"], document["status"]) for document in documents]


async def test_those_who_want_to_see_what_is_said_and_the_others_do_not() -> None:
    log = Log()
    replica = Replica(log)
    eager, calm = await reading(replica), await reading(replica, wants=False)
    show(replica, partial(1))
    log.write(final(1))
    show(replica, partial(1, 1600))
    replica.advance(1)
    await settle()
    show(replica, partial(1, 2400))
    assert seen(await eager.torn_off()) == [("utt_1", "partial"), ("utt_1", "partial"), ("utt_1", "final")]
    assert await calm.torn_off() == log.told()


async def test_who_comes_later_gets_what_is_final_and_what_is_said_from_then_on() -> None:
    log = Log()
    replica = Replica(log)
    first = await reading(replica)
    show(replica, partial(1))
    second = await reading(replica)
    show(replica, partial(1, 1600))
    await settle()
    assert [len(seen(await one.torn_off())) for one in (first, second)] == [2, 1]


async def test_a_replica_that_is_behind_shows_nothing_that_its_reader_has_as_final() -> None:
    log = Log()
    behind = Replica(log)
    log.write(final(1))
    back = await reading(behind, Cursor(3, 0))
    show(behind, partial(1))
    behind.advance(1)
    await settle()
    show(behind, partial(2))
    await settle()
    assert seen(await back.torn_off()) == [("utt_2", "partial")]


async def test_partials_let_no_reader_go_they_are_left_out() -> None:
    log = Log()
    replica = Replica(log, feed_queue_characters=1000)
    slow = await reading(replica)
    for revision in range(800, 80_000, 800):
        show(replica, partial(1, revision))
    log.write(final(2))
    replica.advance(1)
    await settle()
    told = await slow.torn_off()
    assert "closing" not in [event.name for event in told]
    assert 0 < len(seen(told)) < 10
    assert [event for event in told if event.at] == log.told()


async def test_what_another_replica_showed_is_taken_back_by_the_one_that_its_reader_came_to() -> None:
    log = Log()
    replica, successor = Replica(log), Replica(log)
    reader = await reading(replica)
    show(replica, partial(1))
    await settle()
    assert seen(await reader.torn_off()) == [("utt_1", "partial")]
    back = await reading(successor)
    show(successor, withdrawn(1))
    show(successor, partial(1))
    await settle()
    [told] = await back.torn_off()
    assert json.loads(told.data)["transcription"] == {"transcript": ""}


async def test_a_full_queue_leaves_out_nothing_that_takes_back_what_was_shown() -> None:
    replica = Replica(Log(), feed_queue_characters=1000)
    slow = await reading(replica)
    show(replica, partial(1))
    await settle()
    for number in range(2, 12):
        show(replica, partial(number))
    show(replica, withdrawn(1))
    await settle()
    told = await slow.torn_off()
    shown = [item for item, _ in seen(told)]
    assert len(shown) < 11, "the queue was too full for some"
    assert shown[-1] == "utt_1"
    assert json.loads(told[-1].data)["transcription"] == {"transcript": ""}


@pytest.mark.parametrize("until_ms", [None, 4])
async def test_of_what_is_deleted_nothing_is_shown(until_ms: int | None) -> None:
    replica = Replica(Log())
    reader = await reading(replica)
    deleted = replace(SESSION, transcript_deletion=Deletion(reason="asked", asked_at_ms=9, until_ms=until_ms))
    replica.sessions.apply("app_1", deleted)
    replica.sessions.apply("app_1", replace(deleted, folded_offset=9))
    await settle()
    show(replica, partial(4))
    show(replica, partial(5))
    await settle()
    assert seen(await reader.torn_off()) == ([] if until_ms is None else [("utt_5", "partial")])


async def test_after_the_end_nobody_speaks() -> None:
    log = Log()
    log.write(END)
    replica = Replica(log)
    reader = await reading(replica)
    show(replica, partial(1))
    await settle()
    assert [event.name for event in await reader.torn_off()] == ["end"]


class Stage:
    """Three readers who come and go at two replicas that have read anywhere; partials come early, late and again."""

    def __init__(self, seed: int) -> None:
        self.dice, self.log = random.Random(seed), Log()
        self.replicas, self.reading = [Replica(self.log), Replica(self.log)], dict[int, Reading]()
        self.got: list[list[Event]] = [[], [], []]

    async def leave(self, who: int) -> None:
        if who in self.reading:
            self.got[who] += await self.reading.pop(who).torn_off()

    async def come(self, who: int) -> None:
        await self.leave(who)
        last = [event.at for event in self.got[who] if event.at]
        self.reading[who] = await reading(self.dice.choice(self.replicas), last[-1] if last else None)

    async def act(self) -> None:
        replica = self.dice.choice(self.replicas)
        match self.dice.randrange(5):
            case 0:
                self.log.write(self.dice.choice([None, final(self.dice.randrange(12))]))
            case 1:
                replica.advance(min(len(self.log.entries), replica.position + self.dice.randrange(1, 4)))
            case 2 | 3:
                show(replica, partial(self.dice.randrange(12), 800 * self.dice.randrange(1, 9)))
            case 4:
                await self.dice.choice([self.come, self.leave])(self.dice.randrange(3))
        for _ in range(self.dice.randrange(4)):
            await asyncio.sleep(0)

    async def end(self) -> None:
        for who in range(3):
            await self.come(who)
        for replica in self.replicas:
            replica.advance(len(self.log.entries))
        await settle()
        for who in range(3):
            await self.leave(who)


def shown_late(events: list[Event]) -> list[str]:
    """The utterances of which something was shown after they were final."""
    final_ones, late = set[str](), list[str]()
    for item, status in seen(events):
        if status == "final":
            final_ones.add(item)
        elif item in final_ones:
            late.append(item)
    return late


@pytest.mark.parametrize("seed", range(50))
async def test_whatever_is_shown_and_when_finals_are_told_as_ever(seed: int) -> None:
    stage = Stage(seed)
    for _ in range(120):
        await stage.act()
    await stage.end()
    for events in stage.got:
        assert [event for event in events if event.at] == stage.log.told()
        assert shown_late(events) == []
    assert any(status == "partial" for events in stage.got for _, status in seen(events))
