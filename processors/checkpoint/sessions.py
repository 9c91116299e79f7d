"""One session in one processor: records in, windows out, and what of it would survive a crash right now.

Pure: no clock, no I/O. The caller promises to feed each topic's records of the session in log order and without holes
(from the marks of the state it begins with), and to call `done` only when the broker has acknowledged every output of
a window. In return, whatever the caller's fate, its successor that begins with `state()` (as far as that was
acknowledged) produces the same windows with the same contents.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from processors.checkpoint.buffers import Buffer
from processors.checkpoint.folds import FOREVER_MS, NO_SLACK, Fold
from processors.checkpoint.missing import missing
from processors.checkpoint.states import Mark, State
from processors.checkpoint.windows import Entry, Logic, Progress, Track
from schemas.records import MediaRecord, RecordKind

MAX_PENDING = 64
"""Windows of a session that wait for their outputs: one record may complete thousands, behind a gap of hours. The rest
is cut when these are done."""


MAX_TRACKS = 5000
"""Of a session, the ones that are long silent included: they stand in its state, and each record is held against them.

Which ones these are is the same in every replay: the first in the log, and a successor knows those whose first records
it does not read again."""


class SessionKey(NamedTuple):
    """A session and the partition that it has on every topic."""

    partition: int
    session_id: str


@dataclass(eq=False, slots=True)
class Window:
    """Work that the caller must render, send and report as `done`.

    `first` holds the marks back until then. `after` is the progress that becomes true with it (None: 1:1 or final).
    """

    session: SessionKey
    work: object
    first: Mapping[str, Mark]
    track: str | None = None
    after: Progress | None = None
    is_final: bool = False
    is_done: bool = False


class Session:
    """The records of one session, as far as they are fed."""

    def __init__(self, key: SessionKey, logic: Logic, state: State | None = None) -> None:
        state = state or State()
        self.key = key
        self.is_finished = state.finished
        self.next = {topic: state.marks.get(topic, Mark()).offset for topic in logic.topics}
        self._logic = logic
        self._folds = {topic: state.marks.get(topic, Mark()).fold for topic in logic.topics}
        self._tracks = {name: Buffer(name, progress) for name, progress in state.progress.items()}
        self._progress = dict(state.progress)
        self._lanes: dict[str, deque[Window]] = {}
        self._pending: dict[int, Window] = {}
        self._final_cut = state.finished

    def feed(self, topic: str, offset: int, record: MediaRecord, size_bytes: int = 0) -> list[Window]:
        """Take the topic's next record of this session; the windows that it completes."""
        if offset < self.next[topic]:
            return self.advance()
        before = self._folds[topic]
        self.next[topic] = offset + 1
        if before.ended:
            return self.advance()
        return self._take(Entry(topic, offset, record, before, size_bytes)) + self.advance()

    def pass_over(self, lost: str, heard: str) -> list[Window]:
        """What `lost` said of the session until now is deleted, perhaps its end as well, and nobody waits for it: it is
        as far as `heard`."""
        fold, other = self._folds[lost], self._folds[heard]
        if fold.ended or other.watermark_ms <= fold.watermark_ms:
            return []
        late_ms = max(fold.late_ms, other.late_ms)
        self._folds[lost] = fold._replace(watermark_ms=other.watermark_ms, late_ms=late_ms, ended=other.ended)
        return self.advance()

    def fold(self, topic: str) -> Fold:
        """What the topic's records so far say."""
        return self._folds[topic]

    def track_of(self, topic: str, record: MediaRecord) -> Track | None:
        """The track that a frame goes to, as it is now; None where nothing waits on it."""
        name = self._logic.track(topic, self._folds[topic].part, record)
        track = None if name is None else self._tracks.get(name)
        return track if track is not None and track.entries else None

    def advance(self) -> list[Window]:
        """The windows that are complete by what has been fed."""
        if self.is_finished:
            return []
        watermark_ms = min((self._folds[topic].watermark_ms for topic in self._logic.clocks), default=FOREVER_MS)
        windows: list[Window] = []
        for track in self._tracks.values():
            if track.is_due or watermark_ms >= track.wake_ms:
                windows += self._cut(track, watermark_ms)
        return windows or self._last()

    def done(self, window: Window) -> list[Window]:
        """The window's outputs are acknowledged; the windows that waited for that."""
        window.is_done = True
        if window.track is None:
            del self._pending[id(window)]
        else:
            self._settle(window.track)
        if window.is_final:
            self.is_finished = True
        return self.advance()

    def state(self) -> State:
        """What is finished: never decreases, valid as soon as it is computed, true for ever."""
        marks = {topic: Mark(offset, self._folds[topic]) for topic, offset in self.next.items()}
        for topic, mark in self._held():
            if mark.offset < marks[topic].offset:
                marks[topic] = mark
        return State(marks, dict(self._progress), self.is_finished)

    def held_bytes(self) -> Counter[str]:
        """What the tracks hold, by topic."""
        held: Counter[str] = Counter()
        for track in self._tracks.values():
            held.update(track.held_bytes)
        return held

    def leading_bytes(self) -> Counter[str]:
        """What the tracks hold of topics that are ahead, from the time on that the slowest clock has not passed: it
        waits for that one, whereas the rest waits for its own topic to go on."""
        watermarks = {topic: self._folds[topic].watermark_ms for topic in self._logic.clocks}
        slowest_ms = min(watermarks.values(), default=FOREVER_MS)
        leading: Counter[str] = Counter()
        for track in self._tracks.values():
            for entry in track.entries_from(slowest_ms):
                if watermarks[entry.topic] > slowest_ms:
                    leading[entry.topic] += entry.size_bytes
        return leading

    @property
    def slowest(self) -> str:
        """The clock that all which leads waits for; of several, one."""
        return min(self._logic.clocks, key=lambda topic: self._folds[topic].watermark_ms)

    def _take(self, entry: Entry) -> list[Window]:
        """Fold the record in and put it where it waits; its 1:1 outputs."""
        record, topic, fold = entry.record, entry.topic, entry.before
        if (without := fold.leaving_out(record)) is not None:
            self._folds[topic] = without
            return []
        observed = self._logic.observe(topic, fold.part, record)
        after = fold.counting(record)
        if observed.part is not after.part:
            after = after._replace(part=observed.part)
        if record.kind is RecordKind.FRAME and topic in self._logic.clocks:
            after = self._placed(entry, after)
        self._folds[topic] = after.advanced(record, self._logic.clocks.get(topic, NO_SLACK))
        mark = {topic: Mark(entry.offset, fold)}
        works = observed.works
        if topic in self._logic.answers_for:
            works += missing(topic, fold, record)
        return [self._pend(Window(self.key, work, mark)) for work in works]

    def _placed(self, entry: Entry, after: Fold) -> Fold:
        """Put the frame into its track; the fold, should there be no room for another."""
        if not after.is_in_time(entry.record):
            return after
        name = self._logic.track(entry.topic, after.part, entry.record)
        if name is None:
            return after
        track = self._tracks.get(name)
        if track is None:
            if len(self._tracks) >= MAX_TRACKS:
                return after._replace(crowded=after.crowded + 1)
            track = self._tracks[name] = Buffer(name, Progress())
        return after if track.add(entry) else after._replace(late=after.late + 1)

    def _cut(self, track: Buffer, watermark_ms: int) -> list[Window]:
        windows: list[Window] = []
        while len(self._pending) < MAX_PENDING:
            cut = self._logic.cut(track, watermark_ms)
            if isinstance(cut, int):
                track.is_due, track.wake_ms = False, cut
                break
            window = Window(self.key, cut.work, dict(track.firsts()), track.name, cut.progress)
            track.cut(cut.progress)
            self._lanes.setdefault(track.name, deque()).append(self._pend(window))
            if cut.work is None:
                window.is_done = True
                self._settle(track.name)
            else:
                windows.append(window)
        return windows

    def _settle(self, track: str) -> None:
        """Move the track's progress over the windows that are done without a gap."""
        lane = self._lanes.get(track)
        while lane and lane[0].is_done:
            window = lane.popleft()
            del self._pending[id(window)]
            assert window.after is not None
            self._progress[track] = window.after

    def _last(self) -> list[Window]:
        """The session's last window, once, when nothing else is left to come."""
        if self._final_cut or self._pending or not all(fold.ended for fold in self._folds.values()):
            return []
        if any(track.entries for track in self._tracks.values()):
            raise ValueError(f"{type(self._logic).__name__}.cut left entries behind at the end of a session")
        self._final_cut = True
        work = self._logic.final(self._folds, dict(self._progress))
        if work is None:
            self.is_finished = True
            return []
        return [self._pend(Window(self.key, work, {}, is_final=True))]

    def _pend(self, window: Window) -> Window:
        self._pending[id(window)] = window
        return window

    def _held(self) -> Iterable[tuple[str, Mark]]:
        for window in self._pending.values():
            yield from window.first.items()
        for track in self._tracks.values():
            yield from track.firsts()
