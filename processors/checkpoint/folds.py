"""What one topic's records so far say about one session, as an immutable value.

A fold depends on a single topic and its order alone: whether a record is late, of an old epoch or the last one is
therefore the same in every replay, however the topics interleave. Being immutable, it is its own snapshot: everything
that waits for something later keeps the fold from before it arrived.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Self

from schemas import seams
from schemas.records import NO_EPOCH, MediaRecord, RecordKind

Json = Any
"""A JSON value (dict with string keys, list, str, int, float, bool, None), treated as immutable."""

NEVER_MS = -1
"""The watermark before the first record."""

FOREVER_MS = 2**62
"""The watermark after `end`."""

TIMES_MS = range(0, 4_102_444_800_000)
"""Up to the year 2100. What lies outside is no time at all."""

MAX_AHEAD_MS = 3_600_000
"""A frame this far ahead of its topic's watermark, and of when its epoch began, is a broken clock: believing it would
make all others late."""

MAX_OFF_MS = 24 * 3_600_000
"""No frame is this far behind the watermark, nor, where there is none yet, from when its epoch began."""


_OPENING = (RecordKind.BEGIN, RecordKind.END)
"""What may be of a newer epoch than all before it: a worker that claims a session only to finish it writes `end`."""

_LEFT_OUT = ("late", "stale", "foreign", "implausible", "unknown", "crowded")


def known_fields(names: Collection[str], value: Mapping[str, Json]) -> dict[str, Json]:
    """What this release knows of what another one wrote: a newer one may have been rolled back."""
    return {name: part for name, part in value.items() if name in names}


class Slack(NamedTuple):
    """How far (ms) a frame may lag behind its topic's newest one, and behind a tick, before it is late.

    `belated_ms`: one that lags so much further behind a tick is still appended to its track, and finds whatever was
    decided by the tick decided.
    """

    frames_ms: int = 0
    ticks_ms: int = 0
    belated_ms: int = 0


NO_SLACK = Slack()


class Fold(NamedTuple):
    """The fold of one session's records of one topic; a tuple, because a new one is made for every record.

    `part` is the application's share of it. `epoch` is the newest that has begun (or ended the session), `begun_ms`
    when (0: nobody said so); `sequence` is its last, and a hole in it counts as `missing`. `late`, `stale` (of an older
    epoch), `foreign` (of one that has not begun), `implausible`, `unknown` (kind) and `crowded` (of a track too many)
    count what was left out of the windows.

    Before `late_ms` a frame is late. From there to `watermark_ms` it is belated.

    `heard_ms` is up to which time the medium was received, by frames and ticks; `is_resumed` says that a newer epoch
    has begun since and not said anything yet: what lies between the two was sent to nobody. `handed_over`: nothing of
    it was on its way to the worker before, and nobody else was connected between.
    """

    epoch: int = NO_EPOCH
    begun_ms: int = 0
    sequence: int = -1
    watermark_ms: int = NEVER_MS
    ended: bool = False
    frames: int = 0
    late: int = 0
    stale: int = 0
    foreign: int = 0
    missing: int = 0
    implausible: int = 0
    unknown: int = 0
    crowded: int = 0
    part: Json = None
    heard_ms: int = NEVER_MS
    is_resumed: bool = False
    handed_over: bool = False
    late_ms: int = NEVER_MS

    def is_stale(self, record: MediaRecord) -> bool:
        return record.epoch < self.epoch

    def is_foreign(self, record: MediaRecord) -> bool:
        """Whether it is of an epoch that has not begun here: no worker writes such a thing.

        Where nothing has begun, retention has been faster than the reader, and what is left is taken as it is.
        """
        return record.epoch > self.epoch >= 0 and record.kind not in _OPENING

    def is_in_time(self, record: MediaRecord) -> bool:
        """Whether a frame may still enter a window."""
        return record.timestamp_ms >= self.late_ms

    def is_belated(self, record: MediaRecord) -> bool:
        """Whether a tick has said that a frame like this would not come."""
        return record.timestamp_ms < self.watermark_ms

    def leaving_out(self, record: MediaRecord) -> Self | None:
        """The fold with the record counted as one that changes nothing else; None: it has to be taken in."""
        if record.kind is RecordKind.UNKNOWN:
            return self._replace(unknown=self.unknown + 1)
        if self.is_stale(record):
            return self._replace(stale=self.stale + 1)
        if self.is_foreign(record):
            return self._replace(foreign=self.foreign + 1)
        if record.kind not in _OPENING and self.is_implausible(record):
            return self._replace(implausible=self.implausible + 1)
        return None

    def left_out_since(self, before: Self) -> str | None:
        """Why the record between `before` and this fold was left out of the windows; None where it was not."""
        return next((name for name in _LEFT_OUT if getattr(self, name) != getattr(before, name)), None)

    def counting(self, record: MediaRecord) -> Self:
        """The fold with the record's epoch, sequence and kind in it."""
        is_new = record.epoch != self.epoch
        gap = 0 if is_new else max(0, record.sequence - self.sequence - 1)
        is_frame = record.kind is RecordKind.FRAME
        is_begin = record.kind is RecordKind.BEGIN and record.timestamp_ms in TIMES_MS
        begins_anew = is_begin and is_new  # Kafka's client may have written it twice
        speaks = is_frame or record.kind is RecordKind.TICK
        opens = is_begin and self.heard_ms == NEVER_MS
        return self._replace(
            epoch=record.epoch if record.kind in _OPENING else self.epoch,
            begun_ms=record.timestamp_ms if is_begin else self.begun_ms,
            sequence=record.sequence if is_new else max(self.sequence, record.sequence),
            missing=self.missing + gap,
            frames=self.frames + is_frame,
            late=self.late + (is_frame and not self.is_in_time(record)),
            heard_ms=max(self.heard_ms, seams.told_ms(record)) if speaks or opens else self.heard_ms,
            is_resumed=self.heard_ms != NEVER_MS if begins_anew else self.is_resumed and not speaks,
            handed_over=self._is_handed_over(record, begins_anew=begins_anew, speaks=speaks),
        )

    def _is_handed_over(self, record: MediaRecord, *, begins_anew: bool, speaks: bool) -> bool:
        if begins_anew:  # an epoch that has not said anything, or that nothing is here of, has perhaps heard something
            is_next = record.begin is None or record.begin.follows in (self.epoch, NO_EPOCH)
            return self.handed_over and not self.is_resumed and is_next
        return record.kind is RecordKind.HANDED_OVER or (self.handed_over and not speaks)

    def advanced(self, record: MediaRecord, slack: Slack) -> Self:
        """The fold with the watermark that the record allows."""
        match record.kind:
            case RecordKind.END:
                return self._replace(watermark_ms=FOREVER_MS, late_ms=FOREVER_MS, ended=True)
            case RecordKind.TICK:
                through_ms = record.timestamp_ms - slack.ticks_ms
                late_ms = through_ms - slack.belated_ms
            case RecordKind.FRAME:
                through_ms = late_ms = record.timestamp_ms - slack.frames_ms
            case _:
                return self
        if through_ms <= self.watermark_ms and late_ms <= self.late_ms:
            return self
        return self._replace(watermark_ms=max(through_ms, self.watermark_ms), late_ms=max(late_ms, self.late_ms))

    def is_implausible(self, record: MediaRecord) -> bool:
        """Whether its time is absurdly far off."""
        if record.timestamp_ms not in TIMES_MS:
            return True
        if self.watermark_ms == NEVER_MS:
            return self.begun_ms > 0 and abs(record.timestamp_ms - self.begun_ms) > MAX_OFF_MS
        reached_ms = max(self.watermark_ms, self.begun_ms)  # nobody may have been connected for hours
        return record.timestamp_ms < self.watermark_ms - MAX_OFF_MS or record.timestamp_ms > reached_ms + MAX_AHEAD_MS

    def to_json(self) -> dict[str, Json]:
        return self._asdict()

    @classmethod
    def from_json(cls, value: dict[str, Json]) -> Self:
        return cls(**{"late_ms": value["watermark_ms"], **known_fields(cls._fields, value)})
