"""Owns sessions: claims them, runs a live session for each, finishes them, hands them over.

All of it happens in one event loop; membership and claims call in from their threads. A session is held from its
acknowledged claim until it is finished, handed over or let go, and the decision is always `ownership.decide`, asked
anew whenever the state or the claim changes.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from connectors.host import traces
from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.kafka.errors import Fatal, KafkaError
from ingest import metrics
from ingest.facts import Facts, insist
from ingest.ownership import Action, Deadlines, Reply, decide, reply
from ingest.publisher import Identity
from schemas import deletion, sessions
from schemas.records import AppSession, FactKind

log = get_logger(__name__)

DEADLINE_CHECK_S = 1.0
RETRY_CLAIM_S = 1.0

SURE_S = 10.0
"""After a session of a partition of ours was let go to somebody else: by then the group has said whose that is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why a live session's stream is over; `kind` is the fact to state.

    `is_revoked`: somebody took back the consent, and what there is must be deleted.
    """

    kind: FactKind
    reason: str
    is_revoked: bool = False


class Live(Protocol):
    """One claimed session."""

    async def run(self) -> Outcome:
        """Connect and publish until the stream is over for good."""

    async def finish(self, *, close_stream: bool) -> None:
        """Close what is open (the stream at Zoom as well, if asked), write the six `end` records, wait for Kafka."""

    async def hand_over(self) -> None:
        """Close the sockets but not the stream, and wait until Kafka has what was read."""

    def follow(self, state: AppSession) -> None:
        """The session's state is this now: connect where Zoom says, if that has changed."""

    def announced(self) -> None:
        """Somebody has announced the stream, perhaps not for the first time."""

    def let_go(self) -> None:
        """Close the sockets and write nothing more."""


CreateLive = Callable[[Identity, AppSession], Live]


@dataclass(slots=True)
class Holding:
    """A session that this worker has or is about to have; `epoch` is None until the claim is acknowledged.

    `follows` is the epoch before it, as far as it was known when the session was claimed.
    """

    partition: int
    follows: int
    epoch: int | None = None
    live: Live | None = None
    task: asyncio.Task[None] | None = None
    over: bool = False
    finishing: bool = False


@dataclass(slots=True)
class Worker:
    """`membership.Owner` and the claims' listener. `active` is since when (ms) it acts for which partitions."""

    facts: Facts
    create: CreateLive
    deadlines: Deadlines
    clock: Clock
    states: dict[str, AppSession] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    active: dict[int, int] = field(default_factory=dict)
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    _partition_of: dict[str, int] = field(default_factory=dict)
    _stated: set[tuple[str, str]] = field(default_factory=set)
    _finished: dict[str, int] = field(default_factory=dict)
    _doubted: dict[str, Holding] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- what membership and claims say ---

    def on_state(self, partition: int, session_id: str, state: AppSession | None) -> None:
        if state is None:
            self._forget(session_id)
            return
        self.states[session_id] = state
        self._partition_of[session_id] = partition
        if partition in self.active or session_id in self.holdings:
            self._act(session_id)
        if state.state in sessions.TERMINAL and session_id not in self.holdings:
            self._forget(session_id)

    def on_active(self, partition: int) -> None:
        self.active[partition] = self.clock.now_ms()
        for session_id in self._sessions_in({partition}):
            self._doubted.pop(session_id, None)
            self._act(session_id)

    async def on_revoked(self, partitions: frozenset[int]) -> None:
        self._leave(partitions)
        held = [(key, holding) for key, holding in self.holdings.items() if holding.partition in partitions]
        await asyncio.gather(*(self._hand_over(session_id, holding) for session_id, holding in held))
        self._forget_states(partitions)

    async def leave(self) -> None:
        """Hand over everything, and take nothing any more."""
        await self.on_revoked(frozenset(self.active) | {holding.partition for holding in self.holdings.values()})

    def on_lost(self, partitions: frozenset[int]) -> None:
        """No socket is closed: only somebody else's newer claim says that a session is no longer ours."""
        self._leave(partitions)
        self._forget_states(partitions)

    def on_broken(self, error: Exception) -> None:
        self.broken.set()

    def on_claim(self, session_id: str, worker: str, epoch: int) -> Reply:
        """Whoever says so: the log, or the worker itself because the log cannot be read here."""
        holding = self.holdings.get(session_id)
        answer = reply(holding.epoch if holding else None, epoch)
        if holding is not None and answer is Reply.LET_GO:
            self._let_go(session_id, holding)
        return answer

    def on_announced(self, session_id: str) -> None:
        holding = self.holdings.get(session_id)
        if holding is not None and holding.live is not None:
            holding.live.announced()

    # --- deadlines ---

    async def watch_deadlines(self) -> None:
        """State every deadline that a session in the partitions held misses; runs until cancelled."""
        while True:
            await asyncio.sleep(DEADLINE_CHECK_S)
            for session_id in self._sessions_in(self.active):
                which = self._missed(session_id)
                if which is not None and (session_id, which) not in self._stated:
                    await self._state_deadline(session_id, which)

    def _missed(self, session_id: str) -> str | None:
        """Asked anew for each: stating the last one took time, and sessions and partitions come and go meanwhile."""
        state, since_ms = self.states.get(session_id), self.active.get(self._partition_of.get(session_id, -1))
        if state is None or since_ms is None:
            return None
        return self.deadlines.passed(state, self.clock.now_ms(), since_ms)

    async def _state_deadline(self, session_id: str, which: str) -> None:
        try:
            await self.facts.state(session_id, self._partition_of[session_id], FactKind.DEADLINE_PASSED, reason=which)
        except Fatal:
            raise
        except KafkaError as error:
            log.warning("deadline not stated", session_id=session_id, deadline=which, code=error.code)
            return
        self._stated.add((session_id, which))
        log.warning("deadline passed", session_id=session_id, deadline=which)

    # --- acting ---

    def _act(self, session_id: str) -> None:
        holding = self.holdings.get(session_id)
        if holding is not None and holding.epoch is None:
            return  # asked again once the claim is acknowledged or refused
        state = self.states[session_id]
        action = decide(state, holding.epoch if holding else None, self._finished.get(session_id))
        if holding is not None and holding.finishing and action is not Action.LET_GO:
            return  # it ends by itself, or by its deadline
        if action in (Action.CLAIM, Action.CLAIM_TO_FINISH):
            self._claim_if_sure(session_id)
        elif holding is None:
            return
        elif action is Action.NOTHING:
            if holding.live is not None:
                holding.live.follow(state)
        elif action is Action.FINISH:
            holding.finishing = True
            self._spawn(self._finish(session_id, holding))
        else:
            self._let_go(session_id, holding)

    def _claim_if_sure(self, session_id: str) -> None:
        if session_id not in self._doubted:
            self._claim(session_id)

    async def _look_again(self, session_id: str, holding: Holding) -> None:
        """Who was cut off reads of its successor's session before it learns that the partition is not its own. If it
        is, somebody's claim came late, and nothing else may ever be said of the session."""
        await asyncio.sleep(SURE_S)
        if self._doubted.get(session_id) is holding:  # else it was let go again since, and is looked at later
            del self._doubted[session_id]
            if self._partition_of.get(session_id) in self.active:
                self._act(session_id)

    def _claim(self, session_id: str) -> None:
        holding = Holding(self._partition_of[session_id], self.states[session_id].epoch)
        self.holdings[session_id] = holding
        metrics.SESSIONS.set(len(self.holdings))
        holding.task = self._spawn(self._claim_and_run(session_id, holding))

    async def _claim_and_run(self, session_id: str, holding: Holding) -> None:
        try:
            with traces.spanning(session_id, "claim"):
                epoch = await self.facts.state(session_id, holding.partition, FactKind.CLAIMED)
        except Fatal:
            raise
        except KafkaError as error:
            log.warning("claim not acknowledged", session_id=session_id, code=error.code)
            self._drop(session_id, holding)
            await asyncio.sleep(RETRY_CLAIM_S)
            if holding.partition in self.active and session_id in self.states:
                self._act(session_id)
            return
        metrics.CLAIMS.inc()
        state = self.states.get(session_id)
        if state is None or holding.partition not in self.active or self.holdings.get(session_id) is not holding:
            self._drop(session_id, holding)  # moved on while we waited: the next owner claims it anew
            return
        log.info("session claimed", session_id=session_id, epoch=epoch, partition=holding.partition)
        holding.epoch = epoch
        holding.live = self.create(Identity(session_id, holding.partition, epoch, holding.follows), state)
        if decide(state, epoch) is not Action.NOTHING:
            self._act(session_id)
            return
        await self._run(session_id, holding, holding.live)

    async def _run(self, session_id: str, holding: Holding, live: Live) -> None:
        outcome = await live.run()
        if outcome.is_revoked:  # stated first, and whoever holds the session by now: nobody else may ever hear of it
            await insist(
                self.facts, session_id, holding.partition, FactKind.DATA_DELETED, reason=deletion.CONSENT_REVOKED
            )
        if holding.finishing or self.holdings.get(session_id) is not holding:
            return
        holding.over = True
        log.info("stream over", session_id=session_id, kind=outcome.kind, reason=outcome.reason)
        await insist(
            self.facts, session_id, holding.partition, outcome.kind, epoch=holding.epoch, reason=outcome.reason
        )

    async def _finish(self, session_id: str, holding: Holding) -> None:
        assert holding.live is not None
        try:
            await holding.live.finish(close_stream=not holding.over)
        except KafkaError:
            raise
        except Exception:  # the session's edge: no other session ends with it, and its deadline ends it
            metrics.SESSION_FAILURES.inc()
            log.exception("session not finished", session_id=session_id)
            return
        await insist(self.facts, session_id, holding.partition, FactKind.DISCONNECTED, epoch=holding.epoch)
        if self.holdings.get(session_id) is holding and holding.epoch is not None:
            self._finished[session_id] = holding.epoch
        log.info("session finished", session_id=session_id, epoch=holding.epoch)
        self._drop(session_id, holding)

    async def _hand_over(self, session_id: str, holding: Holding) -> None:
        self._drop(session_id, holding)
        if holding.live is not None and not holding.finishing:
            await holding.live.hand_over()
            log.info("session handed over", session_id=session_id, epoch=holding.epoch)

    def _let_go(self, session_id: str, holding: Holding) -> None:
        metrics.LET_GO.inc()
        log.info("session let go", session_id=session_id, epoch=holding.epoch)
        if holding.partition in self.active:
            self._doubted[session_id] = holding
            self._spawn(self._look_again(session_id, holding))
        self._drop(session_id, holding)
        if holding.live is not None:
            holding.live.let_go()

    # --- keeping books ---

    def _leave(self, partitions: frozenset[int]) -> None:
        self.active = {number: since_ms for number, since_ms in self.active.items() if number not in partitions}

    def _drop(self, session_id: str, holding: Holding) -> None:
        if self.holdings.get(session_id) is holding:
            del self.holdings[session_id]
            metrics.SESSIONS.set(len(self.holdings))

    def _forget(self, session_id: str) -> None:
        self.states.pop(session_id, None)
        self._partition_of.pop(session_id, None)
        self._finished.pop(session_id, None)
        self._doubted.pop(session_id, None)
        self._stated = {stated for stated in self._stated if stated[0] != session_id}

    def _forget_states(self, partitions: Iterable[int]) -> None:
        for session_id in self._sessions_in(partitions):
            if session_id not in self.holdings:
                self._forget(session_id)

    def _sessions_in(self, partitions: Iterable[int]) -> list[str]:
        wanted = set(partitions)
        return [session_id for session_id, number in self._partition_of.items() if number in wanted]

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        """A session's task must not die in silence: the successor of this process takes up what it held."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("session task failed", exc_info=error)
            self.broken.set()
