"""What an application must say about its windows; `processors.checkpoint.sessions` does the rest.

An application is a pure `Logic`: no clock, no I/O, no randomness, no state of its own. The engine feeds it records in
topic order, keeps the frames that wait, asks it where the earliest window of a track ends, and knows what may be
forgotten. In return a crash anywhere changes nothing, if the logic keeps these laws:

1. `observe` and `track` depend on their arguments alone.
2. `cut` depends only on `track.progress` and on entries with `timestamp_ms < watermark_ms`: those are final, anything
   that arrives later with such a time is late and never gets in. Once it returns a `Cut` for some watermark, it must
   return the same for every higher one. `FOREVER_MS` means that nothing comes any more, and may follow directly on
   any lower watermark: so an empty slot is no window before a frame behind it is known, or else two runs would differ
   in how many follow the last frame. (Only a stretch without work may be skipped in other pieces another time.)
   Where `clocks` has belated frames, one more may be appended behind the last entry, with a time before the watermark:
   what a `Cut` decided by silence alone must then follow from what `before` says of that entry, too.
3. Whatever a window's output needs from the past of its track is in `progress.carry` (as of the last cut), from the
   past of a topic in `entry.before.part` (as of that entry). Never "as of now".
4. `carry` and `part` are JSON values and are replaced, never changed in place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from processors.checkpoint.folds import NEVER_MS, Fold, Json, Slack
from schemas.records import MediaRecord


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame that waits in a track. `before` is its topic's fold as of just before it."""

    topic: str
    offset: int
    record: MediaRecord
    before: Fold
    size_bytes: int

    @property
    def is_belated(self) -> bool:
        """A tick that came before it had said that nothing of its time would."""
        return self.before.is_belated(self.record)

    @property
    def order(self) -> tuple[int, str, int, int]:
        """Entries are kept in this order; the last three parts tell one frame from another."""
        return self.record.timestamp_ms, self.topic, self.record.epoch, self.record.sequence


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a track is cut: everything before `through_ms` is in a window that was cut (or was skipped).

    Entries before `keep_from_ms` are needed no more (it is below `through_ms` where the next window looks back).
    """

    through_ms: int = NEVER_MS
    keep_from_ms: int = NEVER_MS
    carry: Json = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The earliest window of a track is complete.

    `progress.through_ms` grows with every cut, `progress.keep_from_ms` never shrinks. `work` describes the output to
    whoever makes it (`Application.render`); None skips the stretch without an output (silence that nobody needs).
    """

    progress: Progress
    work: object | None


class Track(Protocol):
    """One buffer of a session, as `Logic.cut` sees it."""

    @property
    def name(self) -> str: ...

    @property
    def entries(self) -> Sequence[Entry]:
        """In order of time, without duplicates, none before `progress.keep_from_ms`."""

    @property
    def progress(self) -> Progress: ...

    scratch: object | None
    """The logic's own cache between two calls, None after each cut. It must not change any result."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a record did to its topic's part of the fold, and the outputs that it causes at once (1:1 outputs)."""

    part: Json
    works: tuple[object, ...] = ()


class Logic(Protocol):
    """An application's decisions. Topics are named by `Topic.name`."""

    @property
    def topics(self) -> tuple[str, ...]:
        """All inputs; the session is over when every one of them has ended."""

    @property
    def clocks(self) -> Mapping[str, Slack]:
        """The inputs whose frames go into tracks, with their slack: what lags further behind is late. A track's
        watermark is the lowest of theirs."""

    @property
    def answers_for(self) -> tuple[str, ...]:
        """The inputs whose holes between two epochs it states; each medium has one processor that does."""

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        """Called for every record of the current epoch up to and including `end`, in topic order, late frames
        included. `part` is what the last call for this session and topic returned, first None."""

    def track(self, topic: str, part: Json, record: MediaRecord) -> str | None:
        """The track that a frame in time goes to, None for none. `part` is as of after the record."""

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        """The earliest complete window, or the lowest watermark at which asking again can make a difference.

        Asked again after every cut, every new entry of the track and when that watermark is reached; also for tracks
        without entries, if anything was ever cut from them. With `watermark_ms == FOREVER_MS` it must cut until no
        entries are left, then return FOREVER_MS + 1.
        """

    def final(self, folds: Mapping[str, Fold], progress: Mapping[str, Progress]) -> object | None:
        """The session's last output: asked once everything before is acknowledged and all topics have ended."""
