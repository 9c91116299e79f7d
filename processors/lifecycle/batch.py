"""Folds a batch of facts: what to write for it, decided before anything is written.

Pure. A batch is staged on copies; the caller makes the staged states its own only after the transaction that wrote
them was committed, and throws them away when it was aborted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from schemas import sessions
from schemas.records import AppSession, FactKind, SessionChange, SessionFact


@dataclass(frozen=True, slots=True)
class StatedFact:
    """A fact and where it stands; `at_ms` is when the broker appended it."""

    fact: SessionFact
    partition: int
    offset: int
    at_ms: int


@dataclass(slots=True)
class FoldedBatch:
    """`states` has the last state of each session that the batch touched, None if it is archived, `refused` the facts
    that nobody asked for, `failed` those that found a fault of ours, with the kind of error."""

    states: dict[str, AppSession | None] = field(default_factory=dict)
    changes: list[SessionChange] = field(default_factory=list)
    partitions: dict[str, int] = field(default_factory=dict)
    refused: list[StatedFact] = field(default_factory=list)
    failed: list[tuple[StatedFact, str]] = field(default_factory=list)

    def give_up(self, session_id: str, facts: Iterable[StatedFact], error: str) -> None:
        """Nothing of this session can be written: its facts have failed, and its state stays what it was."""
        del self.states[session_id]
        self.changes = [change for change in self.changes if change.session_id != session_id]
        told = [stated for stated, _ in self.failed] + self.refused
        self.failed += [(one, error) for one in facts if one.fact.session_id == session_id and one not in told]


def fold_batch(states: Mapping[str, AppSession], facts: Iterable[StatedFact], facts_topic_id: str) -> FoldedBatch:
    """Fold `facts`, in the order given, onto `states` (which stay as they are)."""
    folded = FoldedBatch()
    for stated in facts:
        session_id = stated.fact.session_id
        before = folded.states[session_id] if session_id in folded.states else states.get(session_id)
        try:
            after = sessions.fold(before, stated.fact, stated.offset, stated.at_ms)
        except Exception as error:  # noqa: BLE001  it must not stop the other sessions, now and in every restart
            folded.failed.append((stated, type(error).__name__))
            continue
        if after is before:
            if after is None and stated.fact.kind is not FactKind.ARCHIVED:  # which is said until it is seen
                folded.refused.append(stated)
            continue
        folded.states[session_id] = None if after is None else replace(after, facts_topic_id=facts_topic_id)
        folded.partitions[session_id] = stated.partition
        if after is not None and stated.fact.kind is not FactKind.RECALLED:  # whose history was told long ago
            folded.changes.extend(sessions.changes(before, after))
    return folded
