"""What one topic's records so far say about one session, as an immutable value.

A fold depends on a single topic and its order alone: whether a record is late, of an old epoch or the last one is
therefore the same in every replay, however the topics interleave. Being immutable, it is its own snapshot: everything
that waits for something later keeps the fold from before it arrived.
"""

from typing import Any, NamedTuple, Self

from schemas.records import MediaRecord, RecordKind

Json = Any
"""A JSON value (dict with string keys, list, str, int, float, bool, None), treated as immutable."""

NEVER_MS = -1
"""The watermark before the first record."""

FOREVER_MS = 2**62
"""The watermark after `end`."""

MAX_AHEAD_MS = 3_600_000
"""A frame this far ahead of its topic's watermark is a broken clock: believing it would make all others late."""


class Fold(NamedTuple):
    """The fold of one session's records of one topic; a tuple, because a new one is made for every record.

    `part` is the application's share of it. `sequence` is the last of the current epoch; a hole in it counts as
    `missing`. `late`, `stale` (of an older epoch), `implausible` and `unknown` (kind) count what was
    left out of the windows.
    """

    epoch: int = -1
    sequence: int = -1
    watermark_ms: int = NEVER_MS
    ended: bool = False
    frames: int = 0
    late: int = 0
    stale: int = 0
    missing: int = 0
    implausible: int = 0
    unknown: int = 0
    part: Json = None

    def is_stale(self, record: MediaRecord) -> bool:
        return record.epoch < self.epoch

    def is_in_time(self, record: MediaRecord) -> bool:
        """Whether a frame may still enter a window: not before the watermark, and not absurdly far ahead of it."""
        return not self._is_late(record) and not self._is_implausible(record)

    def leaving_out(self, record: MediaRecord) -> Self:
        """The fold with a record counted that changes nothing else: of an older epoch or of a kind yet unknown."""
        if self.is_stale(record):
            return self._replace(stale=self.stale + 1)
        return self._replace(unknown=self.unknown + 1)

    def counting(self, record: MediaRecord) -> Self:
        """The fold with the record's epoch, sequence and kind in it."""
        is_new = record.epoch != self.epoch
        gap = 0 if is_new else max(0, record.sequence - self.sequence - 1)
        is_frame = record.kind is RecordKind.FRAME
        return self._replace(
            epoch=record.epoch,
            sequence=record.sequence if is_new else max(self.sequence, record.sequence),
            missing=self.missing + gap,
            frames=self.frames + is_frame,
            late=self.late + (is_frame and self._is_late(record)),
            implausible=self.implausible + (is_frame and self._is_implausible(record)),
        )

    def advanced(self, record: MediaRecord, slack_ms: int) -> Self:
        """The fold with the watermark that the record allows."""
        match record.kind:
            case RecordKind.END:
                return self._replace(watermark_ms=FOREVER_MS, ended=True)
            case RecordKind.TICK:
                through_ms = record.timestamp_ms
            case RecordKind.FRAME:
                through_ms = record.timestamp_ms - slack_ms
            case _:
                return self
        if self._is_implausible(record):
            return self
        return self._replace(watermark_ms=through_ms) if through_ms > self.watermark_ms else self

    def _is_late(self, record: MediaRecord) -> bool:
        return record.timestamp_ms < self.watermark_ms

    def _is_implausible(self, record: MediaRecord) -> bool:
        return self.watermark_ms != NEVER_MS and record.timestamp_ms > self.watermark_ms + MAX_AHEAD_MS

    def to_json(self) -> dict[str, Json]:
        return self._asdict()

    @classmethod
    def from_json(cls, value: dict[str, Json]) -> Self:
        return cls(**value)
