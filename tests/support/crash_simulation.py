"""Kafka and the workers of one partition in one process, with everything that can go wrong between them.

The simulation drives the real `Assignment` (or a broken variant of it) the way `processors.shell` does: outputs are
written and acknowledged in any order, states are written one by one, offsets are committed last and only by the
present generation. A crash may come between any two steps; most crashed owners live on as zombies that know nothing of
it and go on feeding, writing outputs, states and tombstones. The state topic is compacted at random.

Works for any application: give it a logic, meetings (records per topic, in log order) and `identify`, which says what
id and content a work's output has. `simulate` returns what is in the log at the end; `undisturbed` what one worker
without any trouble would have written.
"""

import random
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from processors.checkpoint.assignments import Assignment, Input, Stored, Unsaved
from processors.checkpoint.sessions import SessionKey, Window
from processors.checkpoint.states import State, join
from processors.checkpoint.windows import Logic
from schemas.records import MediaRecord, RecordKind

Meetings = Mapping[str, Mapping[str, Sequence[MediaRecord]]]
"""Per session id and topic, the records in log order."""

Identify = Callable[[str, object], tuple[str, Hashable]]
"""What (session id, work) is written as: the output's id and content."""

PARTITION = 0
MAX_IN_FLIGHT = 12
ZOMBIE_STEPS = 400
PACES = (0.1, 1.0, 4.0)


@dataclass
class Outcome:
    """What the log holds in the end. `outputs` keeps the last content per id."""

    outputs: dict[str, Hashable] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)
    written: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    broken_rules: list[str] = field(default_factory=list)

    def write(self, item_id: str, content: Hashable) -> None:
        if self.outputs.get(item_id, content) != content:
            self.conflicts.add(item_id)
        self.outputs[item_id] = content
        self.written[item_id] += 1


@dataclass(frozen=True)
class Trouble:
    """How hard it gets. `own_key` names the assignment; retention deletes only what is committed. `look` is called
    after every record that a worker was fed, as courtesies are."""

    crash_rate: float = 0.01
    zombie_rate: float = 0.7
    compaction_rate: float = 0.05
    retention_rate: float = 0.02
    expiry_rate: float = 0.3
    own_key: Callable[[int, int], str] = lambda process, generation: f"{generation}.{process}"
    assignment: type[Assignment] = Assignment
    look: Callable[[Assignment, Input, MediaRecord], None] = lambda assignment, source, record: None


class Log:
    """The input topics, the state topic and the committed offsets of one partition."""

    def __init__(self, logic: Logic, meetings: Meetings, rng: random.Random) -> None:
        self.inputs = {Input(topic, PARTITION): _interleaved(meetings, topic, rng) for topic in logic.topics}
        self.states: list[tuple[str, str, str | None]] = []
        self.committed = dict.fromkeys(self.inputs, 0)
        self.starts = dict.fromkeys(self.inputs, 0)
        self.generation = 0
        self.outcome = Outcome()

    def age(self, trouble: "Trouble", rng: random.Random) -> None:
        """What a broker does to a log now and then."""
        if rng.random() < trouble.compaction_rate:
            self.compact()
        if rng.random() < trouble.retention_rate:
            self.retain(rng)

    def compact(self) -> None:
        last = {(session, assignment): index for index, (session, assignment, _) in enumerate(self.states)}
        self.states = [row for index, row in enumerate(self.states) if last[row[0], row[1]] == index]

    def retain(self, rng: random.Random) -> None:
        """Delete from the beginning of each input some of what is committed.

        But no end of a session while something of it is still to come: nobody writes a whole retention after the end.
        """
        for source, start in self.starts.items():
            late = {session for session, _ in self.inputs[source][self.committed[source] :]}
            rows = enumerate(self.inputs[source])
            ends = [at for at, (name, record) in rows if record.kind is RecordKind.END and name in late]
            self.starts[source] = max(start, rng.randint(0, min([self.committed[source], *ends])))

    def stored(self) -> list[Stored]:
        """Every state that a reader of the whole topic sees; a tombstone takes all before it of its key away."""
        alive: dict[tuple[str, str], list[str]] = {}
        for session, assignment, text in self.states:
            if text is None:
                alive.pop((session, assignment), None)
            else:
                alive.setdefault((session, assignment), []).append(text)
        return [
            Stored(SessionKey(PARTITION, session), assignment, State.from_json(text))
            for (session, assignment), texts in alive.items()
            for text in texts
        ]

    def uncovered(self) -> list[str]:
        """Records below the committed offsets that no state on the log covers: there must never be any."""
        joined: dict[str, State] = {}
        for stored in self.stored():
            name = stored.session.session_id
            joined[name] = join(joined[name], stored.state) if name in joined else stored.state
        lows = {(name, topic): mark.offset for name, state in joined.items() for topic, mark in state.marks.items()}
        return [
            f"committed without a state: {source.topic} {offset}"
            for source, rows in self.inputs.items()
            for offset, (session, _) in enumerate(rows[: self.committed[source]])
            if offset >= max(lows.get((session, source.topic), 0), self.starts[source])
        ]


class Owner:
    """One worker's life in one generation: a real `Assignment` and what it has under way."""

    def __init__(
        self, log: Log, logic: Logic, process: int, trouble: Trouble, identify: Identify, rng: random.Random
    ) -> None:
        log.outcome.broken_rules += log.uncovered()
        log.generation += 1
        self.generation, self.process = log.generation, process
        name = trouble.own_key(process, self.generation)
        self.assignment = trouble.assignment(logic, name, dict(log.committed), log.stored())
        self._log, self._identify, self._expiry_rate = log, identify, trouble.expiry_rate
        self._look = trouble.look
        self._sending: list[Window] = []
        self._sent: list[Window] = []
        self._to_save: list[Unsaved] | None = None
        self._written: list[Unsaved] = []
        self._topic: Input | None = None
        self._rounds = 0
        self._pace = [rng.choice(PACES) for _ in range(4)]
        self._expire()

    def step(self, rng: random.Random) -> None:
        """Do one of the things that a worker may do next, at random; every worker is slow at other things."""
        actions = self._feed, self._send, self._acknowledge, self._checkpoint
        rng.choices(actions, self._pace)[0](rng)

    def hurry(self) -> None:
        """Be slow at nothing."""
        self._pace = [1.0] * 4

    @property
    def is_at_rest(self) -> bool:
        """Everything is fed, written, acknowledged, saved and committed."""
        ends = {source: len(rows) for source, rows in self._log.inputs.items()}
        idle = not self._sending and not self._sent and self._to_save is None
        return idle and self._rounds > 0 and self.assignment.next == ends and self._log.committed == ends

    def _feed(self, rng: random.Random) -> None:
        if self._topic is None or rng.random() < 0.1:
            self._topic = rng.choice(list(self._log.inputs))  # for a while the same one, so that it leads
        if len(self._sending) + len(self._sent) >= MAX_IN_FLIGHT:
            return
        offset = self.assignment.next[self._topic]
        if offset < len(self._log.inputs[self._topic]):
            session, record = self._log.inputs[self._topic][offset]
            self._sending += self.assignment.feed(self._topic, offset, session, record, 1)
            self._look(self.assignment, self._topic, record)

    def _send(self, rng: random.Random) -> None:
        if not self._sending:
            return
        window = self._sending.pop(rng.randrange(len(self._sending)))
        self._log.outcome.write(*self._identify(window.session.session_id, window.work))
        self._sent.append(window)

    def _acknowledge(self, rng: random.Random) -> None:
        if not self._sent:
            return
        window = self._sent.pop(rng.randrange(len(self._sent)))
        self._sending += self.assignment.done(window)

    def _checkpoint(self, rng: random.Random) -> None:
        """One step of a checkpoint: begin, write one state, have it acknowledged, or commit."""
        if self._to_save is None:
            if rng.random() < self._expiry_rate:
                self._expire()
            self._sending += self.assignment.orphans()
            self._to_save = self.assignment.unsaved()
        elif self._to_save:
            one = self._to_save.pop(rng.randrange(len(self._to_save)))
            self._log.states.append((one.session.session_id, self.assignment.name, one.text))
            self._written.append(one)
        elif self._written:
            one = self._written.pop()
            for foreign in self.assignment.saved(one):
                self._log.states.append((one.session.session_id, foreign, None))
        else:
            self._to_save = None
            self._rounds += 1
            if self.generation == self._log.generation:
                self._commit(self.assignment.committable())

    def _expire(self) -> None:
        for one in self.assignment.expired(self._log.starts):
            self._log.states.append((one.session.session_id, one.assignment, None))
            self.assignment.forget(one.session)

    def _commit(self, offsets: Mapping[Input, int]) -> None:
        for source, offset in offsets.items():
            if offset < self._log.committed[source]:
                self._log.outcome.broken_rules.append(f"commit of {source.topic} went back")
        self._log.committed = dict(offsets)


def simulate(logic: Logic, meetings: Meetings, identify: Identify, seed: int, trouble: Trouble) -> Outcome:
    """Run the meetings through workers in trouble, until one has come to rest with everything committed."""
    rng = random.Random(seed)
    log = Log(logic, meetings, rng)
    records = sum(map(len, log.inputs.values()))
    owner = Owner(log, logic, 0, trouble, identify, rng)
    zombies: list[tuple[Owner, int]] = []
    crashes_left = max(3, records // 10) if trouble.crash_rate else 0
    for _ in range(2000 + 200 * records):
        if owner.is_at_rest:
            break
        if not crashes_left:
            owner.hurry()
        owner.step(rng)
        for zombie, _left in zombies:
            zombie.step(rng)
        zombies = [(zombie, left - 1) for zombie, left in zombies if left > 0]
        log.age(trouble, rng)
        if crashes_left and rng.random() < trouble.crash_rate:
            crashes_left -= 1
            log.outcome.crashes += 1
            if rng.random() < trouble.zombie_rate:
                zombies.append((owner, rng.randrange(ZOMBIE_STEPS)))
            process = rng.randrange(3)
            zombies = [(zombie, left) for zombie, left in zombies if zombie.process != process]
            owner = Owner(log, logic, process, trouble, identify, rng)
    else:
        log.outcome.broken_rules.append("the end of the log was never committed")
    return log.outcome


def undisturbed(logic: Logic, meetings: Meetings, identify: Identify, seed: int = 0) -> dict[str, Hashable]:
    """The outputs of one worker to which nothing happens."""
    calm = Trouble(crash_rate=0.0, compaction_rate=0.0, retention_rate=0.0)
    return simulate(logic, meetings, identify, seed, calm).outputs


def faults(outcome: Outcome, expected: Mapping[str, Hashable]) -> list[str]:
    """What is wrong with an outcome: lost, foreign or differing outputs, and rules that were broken on the way."""
    got = outcome.outputs
    return [
        *outcome.broken_rules,
        *(f"lost: {item_id}" for item_id in sorted(expected.keys() - got.keys())),
        *(f"wrong id: {item_id}" for item_id in sorted(got.keys() - expected.keys())),
        *(f"wrong content: {key}" for key in sorted(expected.keys() & got.keys()) if got[key] != expected[key]),
        *(f"conflicting: {item_id}" for item_id in sorted(outcome.conflicts)),
    ]


def _interleaved(meetings: Meetings, topic: str, rng: random.Random) -> list[tuple[str, MediaRecord]]:
    waiting = {session: list(reversed(topics.get(topic, ()))) for session, topics in meetings.items()}
    rows: list[tuple[str, MediaRecord]] = []
    while alive := [session for session, records in waiting.items() if records]:
        session = rng.choice(alive)
        rows += [(session, waiting[session].pop()) for _ in range(min(rng.choice((1, 1, 5)), len(waiting[session])))]
    return rows
