"""A session that is to end: it is finished once, or by its deadline, or by the next owner."""

import asyncio
from dataclasses import replace

from schemas.records import FactKind
from tests.unit.ingest.test_worker import SESSION, running

DISCONNECTING = replace(SESSION, state="disconnecting", epoch=101)


async def test_an_orphan_that_is_to_end_is_claimed_only_to_finish_it(house):
    h = house()
    h.worker.on_active(3)
    h.worker.on_state(3, "app_1", replace(SESSION, state="disconnecting", epoch=5))
    await h.settle()
    assert h.lives[0].asked == ["finish close=True"]
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.DISCONNECTED]


async def test_a_session_that_was_finished_is_not_claimed_anew_by_a_state_that_lags(house):
    """Lifecycle folds one fact after the other: the claim, what is missing, and only then that it is disconnected."""
    h = house()
    h.worker.on_active(3)
    h.worker.on_state(3, "app_1", replace(DISCONNECTING, epoch=5))
    await h.settle()
    for state in (DISCONNECTING, replace(DISCONNECTING, folded_offset=102)):
        h.worker.on_state(3, "app_1", state)
        await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.DISCONNECTED]
    assert len(h.lives) == 1


async def test_a_session_that_somebody_has_claimed_since_it_was_finished_is_finished_once_more(house):
    """What was stated under the older claim may not have counted."""
    h = house()
    h.worker.on_active(3)
    h.worker.on_state(3, "app_1", DISCONNECTING)
    await h.settle()
    h.worker.on_state(3, "app_1", replace(DISCONNECTING, epoch=102))
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.DISCONNECTED] * 2


async def finishing(house, monkeypatch, failure=None):
    """A session whose finish never comes to an end, or fails, and a watch on its deadlines."""
    monkeypatch.setattr("ingest.worker.DEADLINE_CHECK_S", 0)
    h = await running(house)
    h.lives[0].finished.clear()
    if failure is not None:
        h.lives[0].failure = failure
        h.lives[0].finished.set()
    watch = asyncio.create_task(h.worker.watch_deadlines())
    h.worker.on_state(3, "app_1", DISCONNECTING)
    await h.settle()
    return h, watch


async def test_a_finish_that_never_ends_ends_by_its_deadline(house, monkeypatch):
    h, watch = await finishing(house, monkeypatch)
    h.clock.ms = 1000
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED]
    h.clock.ms = 1001
    await h.settle()
    assert h.facts.stated[1:] == [(FactKind.DEADLINE_PASSED, {"reason": "disconnecting"})]
    h.worker.on_state(3, "app_1", replace(DISCONNECTING, state="post_processing"))
    assert h.worker.holdings == {}
    assert h.lives[0].asked[-1] == "let_go"
    watch.cancel()


async def test_a_finish_that_fails_ends_no_other_session_and_its_own_by_its_deadline(house, monkeypatch):
    h, watch = await finishing(house, monkeypatch, RuntimeError("bug"))
    assert not h.worker.broken.is_set()
    h.worker.on_state(3, "app_1", replace(DISCONNECTING, folded_offset=5))
    h.clock.ms = 1001
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED, FactKind.DEADLINE_PASSED], "neither disconnected nor claimed anew"
    watch.cancel()


async def test_the_successor_of_an_owner_that_died_in_a_finish_ends_it_too(house, monkeypatch):
    monkeypatch.setattr("ingest.worker.DEADLINE_CHECK_S", 0)
    h = house()
    h.clock.ms = 5_000
    create = h._create

    def creating(identity, state):
        live = create(identity, state)
        live.finished.clear()
        return live

    h.worker.create = creating
    h.worker.on_state(3, "app_1", replace(DISCONNECTING, epoch=5))
    h.worker.on_active(3)
    watch = asyncio.create_task(h.worker.watch_deadlines())
    await h.settle()
    assert h.facts.kinds() == [FactKind.CLAIMED], "it is given its own time"
    h.clock.ms = 6_001
    await h.settle()
    assert h.facts.stated[1:] == [(FactKind.DEADLINE_PASSED, {"reason": "disconnecting"})]
    watch.cancel()
