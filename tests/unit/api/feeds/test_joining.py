"""Log and tail joined: however far each replica has read, whoever comes when, every event comes once and in order.

The log, the tails and the scans are played here, so that every interleaving can be had; the feeds are the real ones.
"""

import asyncio
import random
from dataclasses import replace

import pytest

from api.errors import ApiError
from api.feeds.cursors import NEW, Cursor, parsed
from api.feeds.events import Event, Reason
from api.feeds.feeds import deleted_ms
from api.feeds.log_reader import LogReader
from api.feeds.news import Entry, FeedKey, MakeNews, ended
from api.transcripts.news import TranscriptNews
from connectors.kafka.records import Place
from schemas.records import Deletion
from tests.unit.api.feeds.played import END, KEY, SESSION, Log, Reading, Replica, said, settle


class Reader:
    """Comes and goes, each time with the id of the last event it has."""

    def __init__(self) -> None:
        self.got: list[Event] = []
        self.reading: Reading | None = None

    async def leave(self) -> None:
        if self.reading is not None:
            self.got += await self.reading.torn_off()
            self.reading = None

    async def come(self, replica: Replica) -> None:
        await self.leave()
        last = [event.at for event in self.got if event.at]
        self.reading = Reading(replica.reader(last[-1] if last else Cursor(3, NEW)))


class Everything:
    """Tells every record: what comes twice is seen."""

    def __init__(self, key: FeedKey) -> None:
        self._key = key

    def take(self, entry: Entry) -> Event | None:
        if entry.value == END:
            return ended(self._key, entry.offset, "complete")
        return Event("x", str(entry.offset), Cursor(3, entry.offset))


async def act(dice: random.Random, log: Log, replicas: list[Replica], readers: list[Reader]) -> None:
    """Something happens."""
    match dice.randrange(6):
        case 0 | 1:
            log.write(dice.choice([None, said(dice.randrange(12), dice.randrange(1, 3))]))
        case 2 | 3:
            replica = dice.choice(replicas)
            replica.advance(min(len(log.entries), replica.position + dice.randrange(1, 4)))
        case 4:
            await dice.choice(readers).come(dice.choice(replicas))
        case 5:
            await dice.choice(readers).leave()
    for _ in range(dice.randrange(4)):
        await asyncio.sleep(0)


@pytest.mark.parametrize("make", [TranscriptNews, Everything])
@pytest.mark.parametrize("seed", range(100))
async def test_every_event_comes_once_and_in_order(seed: int, make: MakeNews) -> None:
    dice, log = random.Random(seed), Log(make)
    replicas = [Replica(log), Replica(log)]
    readers = [Reader(), Reader(), Reader()]
    for _ in range(150):
        await act(dice, log, replicas, readers)
    log.write(END)
    for reader in readers:
        await reader.come(dice.choice(replicas))
    for replica in replicas:
        replica.advance(len(log.entries))
    await settle()
    for reader in readers:
        await reader.leave()
        assert reader.got == log.told()
    assert all(not replica.feeds._held and not replica.feeds._by_session for replica in replicas)


@pytest.mark.parametrize(("page", "queue"), [(1, 2000), (40, 2000), (1000, 20_000), (10_000, 20_000)])
async def test_pages_join_without_a_seam(page: int, queue: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is still reading pages is not too slow, and what is written again behind them is known."""
    monkeypatch.setattr("api.feeds.log_reader.PAGE", page)
    log = Log()
    for number in range(20):
        log.write(said(number))
    replica = Replica(log, feed_queue_characters=queue)
    reading = Reading(replica.reader(Cursor(3, NEW)))
    for number in range(60):
        log.write(said(number))
        replica.advance(len(log.entries))
        await settle(3)
    await reading.upto(60)
    assert await reading.torn_off() == log.told()


async def test_a_replica_that_is_behind_does_not_tell_again_what_another_told() -> None:
    log = Log()
    behind = Replica(log)
    log.write(said(1))
    log.write(said(2))
    reading = Reading(behind.reader(Cursor(3, 0)))
    await settle()
    behind.advance(2)
    await settle()
    assert [event.at for event in await reading.torn_off()] == [Cursor(3, 1)]


async def test_who_is_too_slow_is_told_and_gets_the_rest_later() -> None:
    log = Log()
    replica = Replica(log, feed_queue_characters=1000)
    reading = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    for number in range(30):
        log.write(said(number))
    replica.advance(30)
    await settle()
    [last] = await reading.torn_off()
    assert (last.name, last.data) == ("closing", '{"reason":"too_slow"}')
    back = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    assert await back.torn_off() == log.told()


async def test_a_session_that_is_over_ends_when_the_log_has_been_read_to_where_it_ended() -> None:
    log = Log()
    replica = Replica(log)
    reading = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    log.write(said(1))
    replica.sessions.apply("app_1", replace(SESSION, state="ended"))
    await settle()
    assert reading.got == [], "the tail has not come there yet"
    replica.advance(1)
    await settle()
    told = await reading.torn_off()
    assert [event.name for event in told] == ["utterance", "end"]
    assert told[-1].data == '{"reason":"session_over"}'
    assert not await replica.reader(parsed(str(told[-1].at), 3)).begin()


async def test_a_session_that_was_archived_meanwhile_ends_as_well() -> None:
    log = Log()
    log.write(said(1))
    replica = Replica(log)
    replica.sessions.apply("app_1", None)
    reading = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    replica.advance(1)
    await settle()
    assert [event.name for event in await reading.torn_off()][-1] == "end"


async def test_what_was_deleted_is_not_told() -> None:
    log = Log()
    log.write(said(1))
    replica = Replica(log)
    log.write(said(2))
    log.write(said(3))
    log.write(END)
    deleted = replace(SESSION, transcript_deletion=Deletion(reason="asked", asked_at_ms=9, until_ms=2))
    replica.sessions.apply("app_1", deleted)
    reading = Reading(LogReader(replica.feeds, deleted, KEY, Cursor(3, NEW), 0))
    await settle()
    replica.advance(4)
    await settle()
    assert [str(event.at) for event in await reading.torn_off()] == ["3-2", "3-3-end"]


async def test_who_reads_is_told_of_a_deletion_and_goes_on_with_what_is_said_later() -> None:
    log = Log()
    log.write(said(1))
    replica = Replica(log)
    reading = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    asked = Deletion(reason="asked", asked_at_ms=9, until_ms=2)
    replica.sessions.apply("app_1", replace(SESSION, transcript_deletion=asked))
    replica.sessions.apply("app_1", replace(SESSION, transcript_deletion=asked, folded_offset=9))
    log.write(said(2))
    log.write(said(3))
    replica.advance(3)
    await settle()
    told = await reading.torn_off()
    assert [(event.name, event.data if event.at is None else str(event.at)) for event in told] == [
        ("utterance", "3-0"), ("deleted", '{"said_until_ms":2}'), ("utterance", "3-2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "gone",
    [{"deletion": Deletion(reason="consent_revoked", asked_at_ms=9)},
     {"transcript_deletion": Deletion(reason="asked", asked_at_ms=9)}],
)  # fmt: skip
async def test_a_feed_ends_when_all_that_it_tells_is_deleted(gone: dict[str, Deletion]) -> None:
    log = Log()
    log.write(said(1))
    replica = Replica(log)
    reading = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    deleted = replace(SESSION, **gone)
    replica.sessions.apply("app_1", deleted)
    log.write(said(2))
    replica.advance(1)
    await settle()
    told = await reading.torn_off()
    assert [event.name for event in told] == ["utterance", "deleted", "end"]
    assert told[-1].data == '{"reason":"deleted"}'
    assert not await replica.reader(parsed(str(told[-1].at), 3)).begin()
    late = Reading(LogReader(replica.feeds, deleted, KEY, Cursor(3, NEW), 0))
    await settle()
    assert [(event.name, event.data) for event in await late.torn_off()] == [("end", '{"reason":"deleted"}')]


def test_a_deleted_transcript_deletes_no_participant_events() -> None:
    deleted = replace(SESSION, transcript_deletion=Deletion(reason="asked", asked_at_ms=9, until_ms=2))
    assert deleted_ms(deleted, KEY) == 2
    assert deleted_ms(deleted, FeedKey("participant-events", "app_1", 3)) == -1


def test_of_deleted_data_nothing_is_told_but_the_session_s_states() -> None:
    """Also while the session is still brought to its end, whenever it was written."""
    revoked = replace(SESSION, deletion=Deletion(reason="consent_revoked", asked_at_ms=1))
    later_ms = 2**61
    assert deleted_ms(revoked, KEY) > later_ms
    assert deleted_ms(revoked, FeedKey("participant-events", "app_1", 3)) > later_ms
    assert deleted_ms(revoked, FeedKey("session-changes", "app_1", 3)) == -1


@pytest.mark.parametrize("after", [Cursor(3, 2), Cursor(3, 10**9)])
async def test_an_id_that_nobody_can_have_is_refused(after: Cursor) -> None:
    log = Log()
    log.write(said(1))
    log.write(said(2))
    reader = Replica(log).reader(after)
    with pytest.raises(ApiError) as refused:
        await reader.begin()
    reader.close()
    assert refused.value.status == 400


async def test_what_is_gone_is_said_to_be_gone() -> None:
    log = Log()
    for number in range(5):
        log.write(said(number))
    replica = Replica(log)
    replica.first = 3
    for after, status in ((Cursor(3, 1), 410), (Cursor(3, 2), None)):
        reader = replica.reader(after)
        if status is None:
            assert await reader.begin()
        else:
            with pytest.raises(ApiError) as refused:
                await reader.begin()
            assert refused.value.status == status
        reader.close()
    old = LogReader(replica.feeds, SESSION, KEY, Cursor(3, NEW), SESSION.created_at_ms + 1)
    with pytest.raises(ApiError) as refused:
        await old.begin()
    old.close()
    assert refused.value.status == 410


async def test_without_kafka_nobody_is_taken_and_nothing_is_left_behind() -> None:
    replica = Replica(Log())
    replica.is_away = True
    reader = replica.reader(Cursor(3, NEW))
    with pytest.raises(ApiError) as refused:
        await reader.begin()
    reader.close()
    assert refused.value.status == 503
    assert not replica.feeds._held
    assert not replica.feeds._inboxes


async def test_a_full_house_and_a_closing_one_take_nobody() -> None:
    replica = Replica(Log(), feed_readers=1)
    first = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    with pytest.raises(ApiError) as refused:
        await replica.reader(Cursor(3, NEW)).begin()
    assert refused.value.status == 503
    replica.feeds.part()
    await settle()
    assert [event.data for event in await first.torn_off()] == ['{"reason":"restarting"}']
    with pytest.raises(ApiError):
        await replica.reader(Cursor(3, NEW)).begin()


async def test_a_tail_that_lost_its_place_sends_its_readers_back() -> None:
    """Those who come back while others are still on their way out are not told by the feed that has a hole."""
    log = Log()
    replica = Replica(log)
    reading = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    replica.feeds.lost(Place("transcripts", 2))
    await settle()
    assert reading.got == []
    log.write(said(1))
    replica.position = 1  # what it passed over, it did not hand over
    replica.feeds.lost(Place("transcripts", 3))
    await settle()
    back = Reading(replica.reader(Cursor(3, NEW)))
    await settle()
    [last] = await reading.torn_off()
    assert await back.torn_off() == log.told()
    assert last.data == f'{{"reason":"{Reason.POSITION_LOST}"}}'
