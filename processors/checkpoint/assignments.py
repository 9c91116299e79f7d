"""What a worker knows between two rebalances: its sessions, where it reads on, what to save and what to commit.

Pure book-keeping; `processors.shell` does the reading and writing in the order that makes it safe: outputs are
acknowledged, then states, then offsets are committed. One object serves one generation of the consumer group and is
dropped with it, so that whatever comes back later for an older one finds nothing to do harm to.

State records are keyed by session *and* assignment. A worker that lost its partitions unknowingly may go on writing
under its own key for a while; it can neither overwrite nor erase what its successor knows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from processors.checkpoint.folds import Json
from processors.checkpoint.sessions import Session, SessionKey, Window
from processors.checkpoint.states import State, join
from processors.checkpoint.windows import Logic, Track
from schemas.records import MediaRecord


class Input(NamedTuple):
    """One partition of one input topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A state as some assignment left it on the state topic."""

    session: SessionKey
    assignment: str
    state: State


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A state to write under this assignment's key, and `Assignment.saved` to call once it is acknowledged."""

    session: SessionKey
    state: State
    text: str


class Uncovered(NamedTuple):
    """Records of one session and topic that were fed while no acknowledged state of this assignment covers them.

    Being covered by somebody else's state is not enough to commit: a third worker that lost the partition unknowingly
    may have seen an older value of that state, and erase it as superfluous.
    """

    first: int
    last: int


class Leads(NamedTuple):
    """Bytes of records that wait for another input of their session: by the input that they are of, which is ahead, and
    by the one that they are waiting for."""

    ahead: Counter[Input]
    awaiting: Counter[Input]


class Assignment:
    """The sessions of the assigned partitions, from the committed offsets and the stored states on."""

    def __init__(
        self,
        logic: Logic,
        name: str,
        committed: Mapping[Input, int],
        stored: Iterable[Stored],
        whole_from_ms: Mapping[Input, int] | None = None,
    ) -> None:
        """`whole_from_ms`: when the first record that is left was written, of inputs of which retention took some."""
        self.name = name
        self.next = dict(committed)
        """Per input, the offset that must be fed next."""
        self.left_out: Counter[tuple[str, str]] = Counter()
        """Records that no window took, by topic and reason; the caller counts them and clears it."""
        self._logic = logic
        self._whole_from_ms: dict[int, dict[str, int]] = {}
        for source, from_ms in (whole_from_ms or {}).items():
            self._whole_from_ms.setdefault(source.partition, {})[source.topic] = from_ms
        self._sessions: dict[SessionKey, Session] = {}
        self._stored: dict[SessionKey, State] = {}
        self._foreign: dict[SessionKey, list[str]] = {}
        self._saved: dict[SessionKey, Unsaved] = {}
        self._uncovered: dict[SessionKey, dict[str, Uncovered]] = {}
        self._touched: dict[SessionKey, None] = {}
        for found in stored:
            known = self._stored.get(found.session)
            self._stored[found.session] = found.state if known is None else join(known, found.state)
            known_keys = self._foreign.setdefault(found.session, [])
            if found.assignment not in known_keys:
                known_keys.append(found.assignment)

    @property
    def session_count(self) -> int:
        """Sessions that are in memory."""
        return len(self._sessions)

    @property
    def stored_count(self) -> int:
        """Sessions that are known by their stored state alone."""
        return len(self._stored)

    def feed(self, source: Input, offset: int, session_id: str, record: MediaRecord, size_bytes: int) -> list[Window]:
        """Take the input's next record; the windows to render.

        Raises:
            ValueError: `offset` is not `next[source]`: something in between would be lost.
        """
        self.skip(source, offset)
        key = SessionKey(source.partition, session_id)
        self._uncover(key, source.topic, offset)
        session = self._session(key)
        before = session.fold(source.topic)
        windows = session.feed(source.topic, offset, record, size_bytes)
        if reason := session.fold(source.topic).left_out_since(before):
            self.left_out[source.topic, reason] += 1
        return windows

    def pass_over(self, source: Input, session_id: str, written_ms: int) -> list[Window]:
        """A record of the session was just fed that was written then: by now nothing is left of what some of the other
        inputs said at that time. The windows that need not wait for it."""
        session = self._session(SessionKey(source.partition, session_id))
        lost = [
            topic
            for topic, from_ms in self._whole_from_ms.get(source.partition, {}).items()
            if topic != source.topic and written_ms < from_ms
        ]
        return [window for topic in lost for window in session.pass_over(topic, source.topic)]

    def skip(self, source: Input, offset: int) -> None:
        """Pass over a record that belongs to no session."""
        if offset != self.next[source]:
            raise ValueError(f"{source} continues at {self.next[source]}, not at {offset}")
        self.next[source] = offset + 1

    def part_of(self, source: Input, session_id: str) -> Json:
        """What the input's records of a session say to the application so far; None where it is not in memory."""
        session = self._sessions.get(SessionKey(source.partition, session_id))
        return None if session is None else session.fold(source.topic).part

    def track_of(self, source: Input, record: MediaRecord) -> Track | None:
        """Where a frame that was just fed waits, if it does: to be looked at."""
        session = self._sessions.get(SessionKey(source.partition, record.session_id))
        return None if session is None else session.track_of(source.topic, record)

    def done(self, window: Window) -> list[Window]:
        """The window's outputs are acknowledged; the windows that waited for that."""
        self._touched[window.session] = None
        return self._sessions[window.session].done(window)

    def orphans(self) -> list[Window]:
        """What is left to do for stored sessions that no record will wake any more."""
        keys = [key for key, state in self._stored.items() if state.is_over and not state.finished]
        return [window for key in keys for window in self._session(key).advance()]

    def unsaved(self) -> list[Unsaved]:
        """The states that differ from what was saved last."""
        touched, self._touched = self._touched, {}
        states = [(key, self._sessions[key].state()) for key in touched if key in self._sessions]
        unsaved = [Unsaved(key, state, state.to_json()) for key, state in states]
        for one in unsaved:
            if self._is_saved(one):
                self._retire(one)
        return [one for one in unsaved if not self._is_saved(one)]

    def saved(self, saved: Unsaved) -> list[str]:
        """The state is acknowledged; the assignments whose states of the session are now superfluous."""
        key = saved.session
        self._saved[key] = saved
        self._cover(key, saved.state)
        self._retire(saved)
        return self._foreign.pop(key, [])

    def committable(self) -> dict[Input, int]:
        """Per input, up to where every record is covered by acknowledged states of our own."""
        low = dict(self.next)
        for (partition, _), uncovered in self._uncovered.items():
            for topic, (first, _) in uncovered.items():
                source = Input(topic, partition)
                low[source] = min(low[source], first)
        return low

    def expired(self, starts: Mapping[Input, int]) -> list[Stored]:
        """The stored states of finished sessions of which the inputs (beginning at `starts`) hold nothing any more."""
        return [
            Stored(key, assignment, state)
            for key, state in self._stored.items()
            if state.finished
            and all(starts.get(Input(topic, key.partition), 0) >= mark.offset for topic, mark in state.marks.items())
            for assignment in self._foreign.get(key, [self.name])
        ]

    def forget(self, session: SessionKey) -> None:
        """Its expired states are erased, and no record will come that asks for them."""
        for kept in (self._stored, self._foreign, self._saved):
            kept.pop(session, None)

    def held_bytes(self) -> int:
        """What waits in windows that are still open."""
        return sum(session.held_bytes().total() for session in self._sessions.values())

    def leads(self) -> Leads:
        """What of that waits for another input to catch up."""
        leads = Leads(Counter(), Counter())
        for (partition, _), session in self._sessions.items():
            for topic, size_bytes in session.leading_bytes().items():
                leads.ahead[Input(topic, partition)] += size_bytes
                leads.awaiting[Input(session.slowest, partition)] += size_bytes
        return leads

    def _is_saved(self, one: Unsaved) -> bool:
        return one.session in self._saved and one.text == self._saved[one.session].text

    def _retire(self, saved: Unsaved) -> None:
        """A session that is finished, and wholly covered, need not stay in memory."""
        if saved.state.finished and saved.session not in self._uncovered:
            del self._sessions[saved.session]
            self._stored[saved.session] = saved.state

    def _uncover(self, key: SessionKey, topic: str, offset: int) -> None:
        """Take note that a record was fed, unless our own acknowledged state covers it."""
        if key in self._saved and offset < self._saved[key].state.marks[topic].offset:
            return
        uncovered = self._uncovered.setdefault(key, {})
        first = uncovered[topic].first if topic in uncovered else offset
        uncovered[topic] = Uncovered(first, offset)

    def _cover(self, key: SessionKey, state: State) -> None:
        """Take note of what the acknowledged state covers of the records that were fed."""
        left = {
            topic: Uncovered(max(first, state.marks[topic].offset), last)
            for topic, (first, last) in self._uncovered.pop(key, {}).items()
            if last >= state.marks[topic].offset
        }
        if left:
            self._uncovered[key] = left

    def _session(self, key: SessionKey) -> Session:
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = Session(key, self._logic, self._stored.pop(key, None))
        self._touched[key] = None
        return session
