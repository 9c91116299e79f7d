"""The frames of one track that wait for their window, in order of time, with their offsets in order of the log."""

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterator
from itertools import islice

from processors.checkpoint.states import Mark
from processors.checkpoint.windows import Entry, Progress


class Buffer:
    """A `windows.Track`, and what the engine needs to know about it.

    `is_due` and `wake_ms` save asking the logic when its answer cannot have changed. `held_bytes` is by topic.
    """

    def __init__(self, name: str, progress: Progress) -> None:
        self.name = name
        self.progress = progress
        self.scratch: object | None = None
        self.entries: list[Entry] = []
        self.held_bytes: Counter[str] = Counter()
        self.is_due = True
        self.wake_ms = 0
        self._waiting: dict[str, OrderedDict[int, Entry]] = {}

    def add(self, entry: Entry) -> bool:
        """Keep the entry, unless its window is cut already or it is here already.

        False: it comes too late, for what is belated has its place behind all others or nowhere. So what lies before
        the last entry and the watermark changes no more.
        """
        if entry.record.timestamp_ms < self.progress.keep_from_ms:
            return True
        if self.entries and entry.order <= self.entries[-1].order:
            place = bisect_left(self.entries, entry.order, key=lambda other: other.order)
            if self.entries[place].order == entry.order:
                return True
            if entry.is_belated:
                return False
            self.entries.insert(place, entry)
        else:
            self.entries.append(entry)
        self._waiting.setdefault(entry.topic, OrderedDict())[entry.offset] = entry
        self.held_bytes[entry.topic] += entry.size_bytes
        self.is_due = True
        return True

    def cut(self, progress: Progress) -> None:
        """Move on to `progress` and drop what is needed no more."""
        if progress.through_ms <= self.progress.through_ms or progress.keep_from_ms < self.progress.keep_from_ms:
            raise ValueError(f"a cut of track {self.name} must move on: {self.progress} -> {progress}")
        self.progress = progress
        self.scratch = None
        kept = bisect_left(self.entries, progress.keep_from_ms, key=lambda entry: entry.record.timestamp_ms)
        for entry in self.entries[:kept]:
            del self._waiting[entry.topic][entry.offset]
            self.held_bytes[entry.topic] -= entry.size_bytes
        del self.entries[:kept]

    def entries_from(self, from_ms: int) -> Iterator[Entry]:
        """The entries at or after a time."""
        first = bisect_left(self.entries, from_ms, key=lambda entry: entry.record.timestamp_ms)
        return islice(self.entries, first, None)

    def firsts(self) -> Iterator[tuple[str, Mark]]:
        """Per topic, the place of the earliest record that is still here."""
        for topic, waiting in self._waiting.items():
            if waiting:
                offset, entry = next(iter(waiting.items()))
                yield topic, Mark(offset, entry.before)
