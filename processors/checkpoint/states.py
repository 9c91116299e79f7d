"""What outlives a worker: per session, how far each input is finished with and how far each track was cut.

A state is a lower bound of the truth, and any number of them may exist for one session, some written by workers that
no longer own it. They are never chosen between, always joined: the componentwise maximum of valid states is valid, in
whatever order they are read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from processors.checkpoint.folds import Fold
from processors.checkpoint.windows import Progress


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a session's records of one topic: `fold` is of everything before `offset`."""

    offset: int = 0
    fold: Fold = field(default_factory=Fold)


@dataclass(frozen=True, slots=True)
class State:
    """Feeding each topic from its mark on and cutting each track from its progress on repeats what is missing.

    `finished` says that the session's last output is acknowledged.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict)
    progress: Mapping[str, Progress] = field(default_factory=dict)
    finished: bool = False

    @property
    def is_over(self) -> bool:
        """Every input has ended, so no record need come any more to wake the session."""
        return bool(self.marks) and all(mark.fold.ended for mark in self.marks.values())

    def to_json(self) -> str:
        """Canonical: equal states give equal texts."""
        value = {
            "marks": {
                topic: {"offset": mark.offset, "fold": mark.fold.to_json()} for topic, mark in self.marks.items()
            },
            "progress": {track: [p.through_ms, p.keep_from_ms, p.carry] for track, p in self.progress.items()},
            "finished": self.finished,
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The state in `text`; what only a newer release knows is left out.

        Raises:
            ValueError: `text` is no state.
        """
        try:
            value = json.loads(text)
            return cls(
                {topic: Mark(mark["offset"], Fold.from_json(mark["fold"])) for topic, mark in value["marks"].items()},
                {track: Progress(*cut[: len(fields(Progress))]) for track, cut in value["progress"].items()},
                value["finished"],
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("no state") from error


def join(left: State, right: State) -> State:
    """The least state that covers both: commutative, associative, idempotent."""
    marks = dict(left.marks)
    for topic, mark in right.marks.items():
        if topic not in marks or _is_beyond(mark, marks[topic]):
            marks[topic] = mark
    progress = dict(left.progress)
    for track, cut in right.progress.items():
        if track not in progress or cut.through_ms > progress[track].through_ms:
            progress[track] = cut
    return State(marks, progress, left.finished or right.finished)


def _is_beyond(mark: Mark, known: Mark) -> bool:
    """A topic that says nothing more, because retention took it, goes on where it is (`Session.pass_over`)."""
    return (mark.offset, mark.fold.watermark_ms) > (known.offset, known.fold.watermark_ms)
