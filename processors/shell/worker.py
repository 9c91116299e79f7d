"""Runs an application on Faust's events: what is safe to do when, and in which order.

Rules, each paid for with lost or wrong outputs: nothing is fed before the states of the assignment are loaded, nothing
of an older generation, and nothing across a gap. States load in a task, because no heartbeat is sent while a handler
of Faust's runs. Outputs are acknowledged, then states, then offsets are committed. Every rebalance drops everything in
memory and reads again. A write that fails ends the process: its successor goes on from the last checkpoint.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from faust.types import TP, Message

from connectors.host.clock import Clock
from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.waiting import Waiting
from connectors.kafka.dead_letters import Origin
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.losses import Losses, awaiting
from connectors.kafka.records import Place
from connectors.kafka.registry import RegistryError
from processors.checkpoint.assignments import Assignment, Input
from processors.settings import ProcessorsSettings
from processors.shell import metrics
from processors.shell.applications import Application
from processors.shell.courtesies import Courtesies
from processors.shell.faults import raised_at
from processors.shell.inputs import Inputs
from processors.shell.outbox import Outbox
from processors.shell.reading import Reading
from processors.shell.rendering import Rendering
from processors.shell.state_store import StateStore
from schemas.codec import Undecodable
from schemas.keys import keyed
from schemas.records import MediaRecord
from schemas.topics import BY_NAME

log = get_logger(__name__)

RETRY_S = 0.5
MAX_LETTERS = 256
"""Dead letters under way at once: waiting for each would let a flood of garbage hold up whatever comes after it."""
UNASSIGNED_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Connections:
    """What a worker reads and writes with."""

    inputs: Inputs
    outbox: Outbox
    states: StateStore
    decoder: Decoder
    losses: Losses


class NotCopartitioned(Exception):
    """The inputs' partitions were dealt out differently; windows over several inputs would never see both."""


class Worker:
    """One process's share of an application's work. All methods belong to the app's loop."""

    def __init__(
        self,
        application: Application,
        connections: Connections,
        settings: ProcessorsSettings,
        health: Health,
        clock: Clock,
    ) -> None:
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Gets the error that ends the process."""
        self._application = application
        self._to = connections
        self._settings = settings
        self._health = health
        self._clock = clock
        self._rendering = Rendering(application, connections.outbox, self._fail)
        self._courtesies = Courtesies(application.partials, connections.outbox, clock, self._fail)
        self._reading = Reading(
            connections.inputs, self._state_loss, application.logic.clocks, settings.lead_bytes, clock
        )
        self._assignment: Assignment | None = None
        self._is_loaded = asyncio.Event()
        self._states_wait = Waiting("states", health)
        self._unexplained: set[Input] = set()
        self._loading: asyncio.Task[None] | None = None
        self._committed: dict[Input, int] = {}
        self._letters: list[asyncio.Task[None]] = []
        self._checkpointing = asyncio.Lock()
        self._moved_at = self._looked_at = clock.monotonic()

    async def on_assigned(self, *arguments: Any, **_: Any) -> None:
        """Faust's signal (app, assigned), sent in every generation. Returns at once; events wait for the load."""
        assigned: Iterable[TP] = arguments[1]
        self._reset()
        sources = [Input(*tp) for tp in assigned if tp.topic in self._application.logic.topics]
        shares = [{s.partition for s in sources if s.topic == topic} for topic in self._application.logic.topics]
        if any(share != shares[0] for share in shares):
            self._fail(NotCopartitioned(f"partitions per input: {[sorted(share) for share in shares]}"))
            return
        self._loading = asyncio.create_task(self._load(sources, self._to.inputs.generation))

    async def on_revoked(self, *_: Any, **__: Any) -> None:
        """Faust's signal: all of the old assignment is gone, whatever it says."""
        self._health.ready(False, "rebalancing")
        await self.hand_over()

    async def hand_over(self) -> None:
        """Save and commit what can be within the time given, then forget everything."""
        try:
            async with asyncio.timeout(self._settings.handover_s):
                await self.checkpoint()
        except TimeoutError:
            log.warning("gave up partitions without a last checkpoint")
        except KafkaError as error:
            self._fail(error)
        self._reset()

    async def take(self, message: Message) -> None:
        """Feed one event, or leave it to be delivered again. Never raises: what is raised would acknowledge it."""
        try:
            await self._take(message)
        except Exception as error:  # noqa: BLE001  the agent's edge; logged, counted by the supervisor's restart
            self._fail(error)

    async def run(self) -> None:
        """Checkpoint at intervals, and now and then look for what has expired, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.checkpoint_interval_s)
            try:
                self._to.inputs.check()
                await self.checkpoint()
                await self.expire()
            except Exception as error:  # noqa: BLE001  the task's edge: nobody awaits it, and nothing else commits
                self._fail(error)
                return
            if self._is_moving():
                self._health.beat()

    async def checkpoint(self) -> None:
        """Save what has changed and commit what is covered. Raises KafkaError when a write fails for good."""
        async with self._checkpointing:
            assignment = self._assignment
            if assignment is None:
                return
            self._rendering.start(assignment, assignment.orphans())
            await self._save(assignment)
            if assignment is not self._assignment:
                return  # what was saved is true for ever, but the offsets are another's to commit now
            await self._commit(assignment)
            self._observe(assignment)
            await self._reading.update(self._rendering.is_full)

    async def expire(self) -> None:
        """Erase and forget finished sessions of which the inputs hold nothing any more, if it is time to look again."""
        assignment, now = self._assignment, self._clock.monotonic()
        if assignment is None or now - self._looked_at < self._settings.expiry_interval_s:
            return
        self._looked_at = now
        try:
            starts = await self._to.inputs.starts(list(assignment.next))
        except KafkaError as error:
            log.warning("not known what has expired, looking again later", reason=str(error))
            return
        async with self._checkpointing:
            await self._erase_expired(assignment, starts)

    async def _erase_expired(self, assignment: Assignment, starts: Mapping[Input, int]) -> None:
        expired = assignment.expired(starts)
        await asyncio.gather(*(self._to.states.erase(one.session, [one.assignment]) for one in expired))
        for one in expired:
            assignment.forget(one.session)
        metrics.EXPIRED.inc(len(expired))

    async def _state_loss(self, source: Input) -> None:
        await asyncio.to_thread(self._to.losses.state, Place(*source), awaiting(self._application.result))

    async def _take(self, message: Message) -> None:
        await self._is_loaded.wait()
        await self._rendering.room()
        assignment, source = self._assignment, Input(message.topic, message.partition)
        if assignment is None or message.generation_id != self._to.inputs.generation:
            metrics.IGNORED.labels("generation").inc()
        elif source in self._reading.paused:
            metrics.IGNORED.labels("paused").inc()
        elif message.offset < assignment.next[source]:
            metrics.IGNORED.labels("repeated").inc()
        elif message.offset > assignment.next[source]:
            metrics.IGNORED.labels("gap").inc()
            self._reading.gap(source)
        else:
            await self._feed(assignment, source, message)

    async def _feed(self, assignment: Assignment, source: Input, message: Message) -> None:
        data: bytes = message.value or b""
        try:
            record = await self._to.decoder.decode_async(BY_NAME[source.topic], data)
            if assignment is not self._assignment:
                return  # the partitions moved while the registry was asked
            if not isinstance(record, MediaRecord):
                raise Undecodable("not a media record")
            record = keyed(message.key, record)
            windows = assignment.feed(source, message.offset, record.session_id, record, len(data))
            if message.timestamp:
                windows += assignment.pass_over(source, record.session_id, round(message.timestamp * 1000))
        except Undecodable as error:
            await self._refuse(source, message, error.reason)
            if assignment is self._assignment:
                assignment.skip(source, message.offset)
            return
        except RegistryError as error:
            self._unexplained.add(source)
            self._to.decoder.waiting.begin(str(Place(*source)), str(error))
            self._reading.repeat(source)  # what the registry can explain is no dead letter while it is away
            return
        except Exception as error:  # noqa: BLE001  a fault that this record found must not stop the other sessions
            log.error("record refused by the logic", topic=source.topic, offset=message.offset,
                      error=type(error).__name__, at=raised_at(error))  # fmt: skip
            await self._refuse(source, message, f"{type(error).__name__} in the logic")
            return
        self._explained(source)
        metrics.RECORDS.labels(source.topic).inc()
        self._moved_at = self._clock.monotonic()
        self._rendering.start(assignment, windows)
        self._courtesies.look(assignment, source, record)

    def _explained(self, *sources: Input) -> None:
        for source in self._unexplained.intersection(sources):
            self._unexplained.discard(source)
            self._to.decoder.waiting.end(str(Place(*source)))

    async def _refuse(self, source: Input, message: Message, reason: str) -> None:
        self._explained(source)
        metrics.REFUSED.labels(source.topic).inc()
        origin = Origin(source.topic, source.partition, message.offset, message.key)
        self._letters.append(asyncio.create_task(self._to.outbox.refuse(origin, reason, message.value or b"")))
        if len(self._letters) >= MAX_LETTERS:
            await self._letters_written()

    async def _letters_written(self) -> None:
        """Wait for the letters under way: no offset is committed before. Raises KafkaError."""
        letters = list(self._letters)
        if letters:
            await asyncio.wait(letters)
        for letter in letters:
            if not letter.cancelled():  # by a rebalance: the next owner writes it
                letter.result()
        self._letters = [letter for letter in self._letters if letter not in letters]

    async def _load(self, sources: list[Input], generation: int) -> None:
        while self._to.inputs.generation == generation:
            try:
                loaded = await self._loaded(sources, generation)
            except Fatal as error:
                self._fail(error)
                return
            except KafkaError as error:
                self._states_wait.begin("load", str(error))
                await asyncio.sleep(RETRY_S)
            except Exception as error:  # noqa: BLE001  the task's edge: nobody awaits it
                self._fail(error)
                return
            else:
                await self._begin(loaded, generation)
                return

    async def _loaded(self, sources: list[Input], generation: int) -> Assignment:
        # In this order: a commit that succeeded was preceded by its states, so they lie below the ends read now.
        committed = await self._to.inputs.committed(sources)
        starts = await self._to.inputs.starts(sources)
        stored = await self._to.states.load({s.partition for s in sources}, self._settings.load_timeout_s)
        name = f"{generation}.{secrets.token_hex(4)}"
        offsets = {source: max(committed.get(source, 0), starts[source]) for source in sources}
        await self._reading.state_lost(committed, starts)
        whole_from_ms = await self._to.inputs.written_ms([source for source in sources if starts[source] > 0])
        assignment = Assignment(self._application.logic, name, offsets, stored, whole_from_ms)
        await self._erase_expired(assignment, starts)
        self._committed = {source: offset for source, offset in committed.items() if offset == offsets[source]}
        return assignment

    async def _begin(self, assignment: Assignment, generation: int) -> None:
        if self._to.inputs.generation != generation:
            return
        self._assignment = assignment
        self._reading.begin(assignment)
        self._moved_at = self._clock.monotonic()
        metrics.LOADS.inc()
        log.info("states loaded", generation=generation, inputs=len(assignment.next), stored=assignment.stored_count)
        self._is_loaded.set()
        self._states_wait.end("load")
        self._health.ready(True)

    async def _save(self, assignment: Assignment) -> None:
        unsaved = assignment.unsaved()
        await asyncio.gather(*(self._to.states.save(one, assignment.name) for one in unsaved))
        metrics.STATES.inc(len(unsaved))
        foreign = [(one.session, assignment.saved(one)) for one in unsaved]
        await asyncio.gather(*(self._to.states.erase(session, names) for session, names in foreign if names))

    async def _commit(self, assignment: Assignment) -> None:
        offsets = {s: offset for s, offset in assignment.committable().items() if offset != self._committed.get(s)}
        if not offsets:
            return
        await self._letters_written()
        if assignment is not self._assignment:
            return
        is_done = await self._to.inputs.commit(offsets)
        metrics.COMMITS.labels("done" if is_done else "refused").inc()
        if is_done and assignment is self._assignment:
            self._committed |= offsets

    def _reset(self) -> None:
        """Forget everything of the old assignment; what is under way for it comes to nothing."""
        if self._loading is not None:
            self._loading.cancel()
        for letter in self._letters:
            letter.cancel()
        self._letters = []
        self._rendering.cancel()
        self._courtesies.cancel()
        self._reading.forget()
        self._explained(*self._unexplained)
        self._states_wait.end("load")
        self._assignment = self._loading = None
        self._is_loaded.clear()
        self._committed = {}

    def _observe(self, assignment: Assignment) -> None:
        metrics.SESSIONS.set(assignment.session_count)
        metrics.HELD_BYTES.set(assignment.held_bytes())
        for (topic, reason), count in assignment.left_out.items():
            metrics.LEFT_OUT.labels(topic, reason).inc(count)
        assignment.left_out.clear()

    def _is_moving(self) -> bool:
        """Whether something was taken lately, or there was nothing to take, as while Kafka or the registry is away;
        without partitions, for a while."""
        if self._assignment is None:
            return self._clock.monotonic() - self._moved_at < UNASSIGNED_PATIENCE_S
        if self._rendering.is_full:
            return True
        if self._unexplained or self._reading.is_unanswered or not self._reading.is_behind():
            self._moved_at = self._clock.monotonic()
        return self._clock.monotonic() - self._moved_at < self._settings.stalled_s

    def _fail(self, error: BaseException) -> None:
        if not self.failure.done():
            log.error("processor failed", error=type(error).__name__, reason=str(error))
            self.failure.set_result(error)
