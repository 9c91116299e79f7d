"""What a topic lost between two epochs, seen by whoever reads both sides of it; the rule is in `schemas.seams`.

Like a fold it depends on one topic and its order alone, so every replay states the same hole, and equal holes are one.
"""

from dataclasses import dataclass

from processors.checkpoint.folds import NEVER_MS, Fold
from schemas import seams
from schemas.records import Hole, MediaRecord, RecordKind
from schemas.topics import BY_NAME


@dataclass(frozen=True, slots=True)
class Missing:
    """A work that the shell renders by itself: the hole has to become a fact of the session."""

    hole: Hole


def missing(topic: str, before: Fold, record: MediaRecord) -> tuple[Missing, ...]:
    """What `record`, which is not left out, shows to be missing before it. `before` is the topic's fold until then."""
    hole = _hole(BY_NAME[topic].medium, before, record)
    return () if hole is None else (Missing(hole),)


def _hole(medium: str, before: Fold, record: MediaRecord) -> Hole | None:
    if record.kind is RecordKind.END and record.epoch > before.epoch and before.heard_ms != NEVER_MS:
        return seams.unheard_end(medium, before.heard_ms, record.timestamp_ms)
    if not before.is_resumed or record.kind in (RecordKind.BEGIN, RecordKind.HANDED_OVER):
        return None
    first = seams.First.of(record) if record.kind is RecordKind.FRAME else None
    return seams.hole(medium, before.heard_ms, before.begun_ms, first, handed_over=before.handed_over)
