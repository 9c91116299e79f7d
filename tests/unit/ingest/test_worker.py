"""Ownership in one event loop: who may open a socket, and who must let go."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from connectors.kafka.errors import Fatal
from ingest import worker
from ingest.worker import Outcome
from schemas.records import AppSession, FactKind, HistoryEntry, StreamRequest

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
ENTRY = HistoryEntry(event_type="x", old_state="", new_state="", created_at_ms=0)
SESSION = AppSession(
    session_id="app_1",
    project_id="proj_1",
    state="connecting",
    request=REQUEST,
    settings="{}",
    metadata=None,
    history=(ENTRY,),
    recording_state="",
    transcription_state="",
    awaiting=(),
    created_at_ms=0,
    epoch=-1,
    folded_offset=0,
)


async def running(house):
    h = house()
    h.worker.on_state(3, "app_1", SESSION)
    h.worker.on_active(3)
    await h.settle()
    return h


async def test_nothing_is_done_before_the_partition_was_read_to_its_end(house):
    h = house()
    h.worker.on_state(3, "app_1", SESSION)
    await h.settle()
    assert h.facts.stated == []
    h.worker.on_active(3)
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED]
    assert h.lives[0].identity.epoch == 101
    assert h.lives[0].asked == ["run"]


async def test_who_claims_says_whose_claim_was_the_last_before(house):
    h = house()
    h.facts.open.clear()
    h.worker.on_state(3, "app_1", replace(SESSION, epoch=57))
    h.worker.on_active(3)
    await h.settle()
    h.worker.on_state(3, "app_1", replace(SESSION, epoch=101))  # its own, before it knows
    h.facts.open.set()
    await h.settle()
    assert (h.lives[0].identity.epoch, h.lives[0].identity.follows) == (101, 57)


async def test_the_socket_is_opened_only_after_the_claim_is_acknowledged(house):
    h = house()
    h.facts.open.clear()
    h.worker.on_state(3, "app_1", SESSION)
    h.worker.on_active(3)
    await h.settle()
    assert h.lives == []
    h.facts.open.set()
    await h.settle()
    assert len(h.lives) == 1


async def test_a_claim_in_flight_is_void_when_the_partition_goes(house):
    h = house()
    h.facts.open.clear()
    h.worker.on_state(3, "app_1", SESSION)
    h.worker.on_active(3)
    await h.settle()
    await h.worker.on_revoked(frozenset({3}))
    h.facts.open.set()
    await h.settle()
    assert (h.lives, h.worker.holdings) == ([], {})


async def test_a_claim_that_kafka_did_not_take_is_made_again(house, monkeypatch):
    monkeypatch.setattr("ingest.worker.RETRY_CLAIM_S", 0)
    h = house()
    h.facts.failures = 1
    h.worker.on_state(3, "app_1", SESSION)
    h.worker.on_active(3)
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED]
    assert len(h.lives) == 1


async def test_its_own_claim_coming_back_changes_nothing(house):
    h = await running(house)
    h.worker.on_state(3, "app_1", replace(SESSION, state="connected", epoch=101, worker="me"))
    h.worker.on_claim("app_1", "me", 101)
    await h.settle()
    assert h.lives[0].asked == ["run"]


async def test_a_live_session_hears_of_every_state_it_runs_in(house):
    h = await running(house)
    moved = replace(SESSION, request=replace(REQUEST, server_urls=("wss://rtms2.zoom.us",)))
    h.worker.on_state(3, "app_1", moved)
    h.worker.on_state(3, "app_1", replace(moved, state="disconnecting", epoch=101))
    await h.settle()
    assert h.lives[0].followed == [moved]


async def test_who_holds_a_session_hears_that_its_stream_is_announced(house):
    h = await running(house)
    for session_id in ("app_1", "app_nobodys"):
        h.worker.on_announced(session_id)
    assert h.lives[0].asked == ["run", "announced"]


async def test_the_end_of_a_stream_is_stated_and_finishing_waits_for_the_fold(house):
    h = await running(house)
    h.lives[0].outcome.set_result(Outcome(FactKind.STREAM_OVER, "stopped: meeting_ended"))
    await h.settle()
    assert h.facts.stated[-1] == (FactKind.STREAM_OVER, {"epoch": 101, "reason": "stopped: meeting_ended"})
    h.worker.on_state(3, "app_1", replace(SESSION, state="disconnecting", epoch=101))
    await h.settle()
    assert h.lives[0].asked == ["run", "finish close=False"]
    assert h.facts.stated[-1] == (FactKind.DISCONNECTED, {"epoch": 101})
    assert h.worker.holdings == {}


async def test_a_revoked_consent_is_stated_before_the_end_and_by_whoever_hears_it(house):
    h = await running(house)
    h.lives[0].outcome.set_result(Outcome(FactKind.STREAM_OVER, "stopped: stream_revoked", is_revoked=True))
    await h.settle()
    assert h.facts.stated[1:] == [
        (FactKind.DATA_DELETED, {"reason": "consent_revoked"}),
        (FactKind.STREAM_OVER, {"epoch": 101, "reason": "stopped: stream_revoked"}),
    ]
    late = await running(house)
    late.worker.on_claim("app_1", "w2", 200)
    late.lives[0].outcome.set_result(Outcome(FactKind.STREAM_OVER, "stopped: stream_revoked", is_revoked=True))
    await late.settle()
    assert late.facts.kinds()[1:] == [FactKind.DATA_DELETED]


async def test_an_outage_while_the_end_is_stated_ends_no_worker(house, monkeypatch):
    monkeypatch.setattr("ingest.facts.RETRY_S", 0)
    h = await running(house)
    h.facts.failures = 2
    h.lives[0].outcome.set_result(Outcome(FactKind.STREAM_OVER, "x"))
    await h.settle()
    assert not h.worker.broken.is_set()
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.STREAM_OVER]
    h.facts.failures = 2
    h.worker.on_state(3, "app_1", replace(SESSION, state="disconnecting", epoch=101))
    await h.settle()
    assert h.facts.kinds()[-1] is FactKind.DISCONNECTED


async def test_an_end_asked_for_closes_the_stream_at_zoom(house):
    h = await running(house)
    h.worker.on_state(3, "app_1", replace(SESSION, state="disconnecting", epoch=101))
    await h.settle()
    assert h.lives[0].asked == ["run", "finish close=True"]


async def test_losing_the_membership_closes_nothing_and_a_newer_claim_does(house):
    h = await running(house)
    h.worker.on_lost(frozenset({3}))
    assert h.lives[0].asked == ["run"]
    h.worker.on_claim("app_1", "other", 99)
    assert h.lives[0].asked == ["run"]
    h.worker.on_claim("app_1", "other", 102)
    assert h.lives[0].asked == ["run", "let_go"]
    assert h.worker.holdings == {}


async def test_a_partition_that_comes_back_finds_its_session_held(house):
    h = await running(house)
    h.worker.on_lost(frozenset({3}))
    h.worker.on_state(3, "app_1", replace(SESSION, state="connected", epoch=101))
    h.worker.on_active(3)
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED]
    assert h.lives[0].asked == ["run"]


async def test_a_planned_move_hands_over(house):
    h = await running(house)
    await h.worker.on_revoked(frozenset({3}))
    assert h.lives[0].asked == ["run", "hand_over"]
    assert (h.worker.holdings, h.worker.states) == ({}, {})


async def test_who_leaves_hands_over_what_it_holds_wherever_it_lies_and_takes_nothing_any_more(house):
    h = await running(house)
    h.worker.on_lost(frozenset({3}))
    await h.worker.leave()
    assert h.lives[0].asked == ["run", "hand_over"]
    h.worker.on_state(3, "app_1", SESSION)
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED]


async def test_ended_sessions_are_forgotten(house):
    h = house()
    h.worker.on_active(3)
    h.worker.on_state(3, "app_1", replace(SESSION, state="ended"))
    assert h.worker.states == {}


async def test_a_missed_deadline_is_stated_once(house, monkeypatch):
    monkeypatch.setattr("ingest.worker.DEADLINE_CHECK_S", 0)
    h = await running(house)
    watch = asyncio.create_task(h.worker.watch_deadlines())
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED]
    h.clock.ms = 1001
    await h.settle()
    watch.cancel()
    assert h.facts.stated[1:] == [(FactKind.DEADLINE_PASSED, {"reason": "connecting"})]


async def test_sessions_that_go_while_a_deadline_is_stated_end_no_watch(house, monkeypatch):
    monkeypatch.setattr("ingest.worker.DEADLINE_CHECK_S", 0)
    h = await running(house)
    for name in ("app_2", "app_3"):
        h.worker.on_state(3, name, replace(SESSION, session_id=name))
    await h.settle()
    h.facts.open.clear()
    watch = asyncio.create_task(h.worker.watch_deadlines())
    h.clock.ms = 1001
    await h.settle()
    h.worker.on_state(3, "app_2", None)  # while the first one's deadline is on its way
    h.facts.open.set()
    await h.settle()
    assert not watch.done()
    watch.cancel()
    assert h.facts.kinds()[3:] == [FactKind.DEADLINE_PASSED] * 2


async def test_a_producer_that_is_broken_for_good_ends_the_worker_instead_of_trying_for_ever(house, monkeypatch):
    monkeypatch.setattr("ingest.worker.RETRY_CLAIM_S", 0)
    h = house()
    monkeypatch.setattr(h.facts, "state", _fenced)
    h.worker.on_state(3, "app_1", SESSION)
    h.worker.on_active(3)
    await h.settle()
    assert h.worker.broken.is_set()


async def _fenced(*_arguments, **_fields):
    raise Fatal("fenced")


async def test_a_failing_session_task_breaks_the_worker_loudly(house):
    h = await running(house)
    h.lives[0].outcome.set_exception(RuntimeError("bug"))
    await h.settle()
    assert h.worker.broken.is_set()


class Doubts:
    """The times after which a session that was let go is looked at again: each is over when the test says so."""

    def __init__(self):
        self.waited = []

    async def sleep(self, seconds):
        assert seconds == worker.SURE_S
        self.waited.append(asyncio.Event())
        await self.waited[-1].wait()

    async def over(self, h, number=0):
        """It is looked again, for that time, and done what comes of it at once."""
        under_way = set(h.worker._tasks)
        self.waited[number].set()
        await h.until(lambda: under_way - h.worker._tasks)
        await h.settle()


@pytest.fixture
def doubts(monkeypatch):
    """Of the worker's own sleep alone: everybody else's goes on."""
    found = Doubts()
    monkeypatch.setattr(worker, "asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": found.sleep}))
    return found


async def claimed_by_another(house):
    """A worker that has let its session go, and reads what became of it since."""
    h = await running(house)
    h.facts.others = 200
    h.worker.on_claim("app_1", "w2", 200)
    h.worker.on_state(3, "app_1", replace(SESSION, state="connected", epoch=200, worker="w2"))
    h.worker.on_state(3, "app_1", replace(SESSION, state="connected", epoch=200, worker="w2", folded_offset=9))
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED]
    return h


async def test_what_was_let_go_is_not_claimed_before_the_group_has_said_whose_it_is(house, doubts):
    h = await claimed_by_another(house)
    h.worker.on_lost(frozenset({3}))
    await doubts.over(h)
    assert h.facts.kinds() == [FactKind.CLAIMED]


async def test_what_was_let_go_twice_is_in_doubt_from_the_second_time_on(house, doubts):
    h = await claimed_by_another(house)
    h.worker.on_active(3)  # the group says that it is ours
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED] * 2
    h.facts.others = 300
    h.worker.on_claim("app_1", "w2", 300)
    h.worker.on_state(3, "app_1", replace(SESSION, state="connected", epoch=300, worker="w2"))
    await doubts.over(h, 0)  # it is looked at because of the first time
    assert h.facts.kinds() == [FactKind.CLAIMED] * 2
    await doubts.over(h, 1)
    assert h.facts.kinds() == [FactKind.CLAIMED] * 3


async def test_it_is_claimed_when_the_partition_is_ours_after_all(house, doubts):
    h = await claimed_by_another(house)
    await doubts.over(h)
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.CLAIMED]


async def test_it_is_claimed_when_the_state_alone_tells_of_a_claim_that_nobody_stands_for(house, doubts):
    """A predecessor's claim, on its way when the partition moved, may reach the log behind ours; nothing follows it."""
    h = house()
    h.facts.open.clear()
    h.worker.on_state(3, "app_1", SESSION)
    h.worker.on_active(3)
    await h.settle()
    h.worker.on_claim("app_1", "w2", 200)  # heard before our own is acknowledged: there is nothing to let go yet
    h.facts.open.set()
    await h.settle()
    h.facts.others = 200
    h.worker.on_state(3, "app_1", replace(SESSION, epoch=200, worker="w2"))
    await h.settle()
    assert h.lives[0].asked == ["run", "let_go"]
    await doubts.over(h)
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.CLAIMED]


async def test_it_is_claimed_at_once_when_the_partition_comes_back(house, doubts):
    h = await claimed_by_another(house)
    h.worker.on_lost(frozenset({3}))
    h.worker.on_state(3, "app_1", replace(SESSION, state="connected", epoch=200, worker="w2"))
    h.worker.on_active(3)
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.CLAIMED]
