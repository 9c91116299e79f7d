"""What a consumer of the media topics received, counted so that it can stand beside what was sent.

Pure. The readers' rule of the topics is applied as any consumer would: after `begin` of a newer epoch what is older is
ignored, and nothing after `end` counts. Digests are over each participant's payloads in topic order.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from schemas.records import Audio, Caption, Chat, Event, MediaRecord, RecordKind, Video

Happening = tuple[int, int, int]
"""An event as its sender knows it too: Zoom's number for it, the participant (0: nobody), Zoom's time in ms."""


def payload_of(record: MediaRecord) -> bytes:
    """The bytes of a frame that the sender knows too; text media give their text."""
    if isinstance(record, Audio | Video):
        return record.payload
    if isinstance(record, Caption | Chat):
        return record.text.encode()
    return b""


@dataclass(slots=True)
class MediumAccount:
    """One medium of one session. `lost` and `doubled` come from the sequence numbers alone.

    `before_key_frame` counts pictures that nothing can show, because the connection began in the middle of a group.
    """

    frames: int = 0
    size_bytes: int = 0
    lost: int = 0
    doubled: int = 0
    ignored: int = 0
    before_key_frame: int = 0
    key_frames: int = 0
    ended: bool = False
    epoch: int = -1
    first_ms: int | None = None
    last_ms: int | None = None
    latencies_us: list[int] = field(default_factory=list)
    frames_of: Counter[int] = field(default_factory=Counter)
    happened: Counter[Happening] = field(default_factory=Counter)
    _expected: int = 0
    _digests: dict[int, Any] = field(default_factory=dict)

    def feed(self, record: MediaRecord, now_us: int) -> None:
        """Take one record in topic order; `now_us` is the consumer's clock when it had it."""
        if self.ended or record.epoch < self.epoch:
            self.ignored += 1
            return
        if record.epoch > self.epoch:
            self.epoch, self._expected = record.epoch, 0
        if record.sequence < self._expected:
            self.doubled += 1
            return
        self.lost += record.sequence - self._expected
        self._expected = record.sequence + 1
        self.ended = record.kind is RecordKind.END
        if record.kind is RecordKind.FRAME:
            self._count(record, now_us)

    def digests(self) -> dict[int, str]:
        """SHA-256 (hex) by participant."""
        return {participant: digest.hexdigest() for participant, digest in sorted(self._digests.items())}

    def latency_ms(self) -> dict[str, float]:
        """p50 and p99 from frame arrival to this consumer; empty without at least two frames."""
        if len(self.latencies_us) < 2:
            return {}
        cuts = quantiles(self.latencies_us, n=100, method="inclusive")
        return {"p50": round(cuts[49] / 1000, 1), "p99": round(cuts[98] / 1000, 1)}

    def _count(self, record: MediaRecord, now_us: int) -> None:
        payload = payload_of(record)
        self.frames += 1
        self.size_bytes += len(payload)
        self.frames_of[record.participant_id] += 1
        if isinstance(record, Video):
            self.key_frames += record.key_frame
            self.before_key_frame += not self.key_frames
        if isinstance(record, Event):
            self.happened[record.code, record.participant_id, record.timestamp_ms] += 1
        self.latencies_us.append(now_us - record.arrived_us)
        if self.first_ms is None:
            self.first_ms = record.timestamp_ms
        self.last_ms = record.timestamp_ms
        self._digests.setdefault(record.participant_id, hashlib.sha256()).update(payload)
