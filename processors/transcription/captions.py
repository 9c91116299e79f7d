"""Which utterances Zoom's captions are: how they change when Zoom changes its mind, and which are merged. Pure.

Captions have no ids. An utterance is known by who began to speak when, so a correction of any age meets the one that it
is about, whoever received the first caption. What is remembered beside that is for what the first words do not tell.

A session may want those of one speaker that follow closely upon each other as one utterance (`merges`). Of these the
words are remembered, until the utterance is told and as long as a correction is likely; of all others a digest is.
Everything depends on the captions topic alone, in its order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from processors.checkpoint.folds import TIMES_MS, Json
from processors.transcription.caption_lines import (
    CaptionWork,
    Line,
    Piece,
    Unmet,
    end_of,
    name_of,
    start_of,
    written,
)
from processors.transcription.forgotten import Forgotten
from schemas import ids
from schemas.records import Caption, MediaRecord, RecordKind

UPDATE, DELETE = "update", "delete"

WAIT_MS = 4_000
"""So much of the topic's time passes after a caption before it is certain that it was the utterance's last: a caption
comes when its words are over, so what is shorter than this less the pause is waited for."""

STEP_MS = 1_000
"""A caption moves the topic's time by no more: where none comes for so long, a tick says what time it is."""

MOST_OPEN = 100
"""Captions of utterances that wait at once; of more the oldest is told."""

REMEMBERED = 16
REMEMBERED_MERGED = 100
"""Captions of a session whose utterances are told; long ones count for several. All of it stands in every state."""

AS_NEW, FORGOTTEN, NOTHING = "as_new", "forgotten", "nothing"
"""What becomes of a correction that meets nothing: its words are a caption, it is about something that is too old to be
put right, there is nothing to delete."""

_NUMBERS = ("count", "changes", "clock_ms")


@dataclass(slots=True)
class Captions:
    """What is known of a session's captions; `take` what comes, then read `works` and `to_json`.

    `count` is how many utterances were told, `changes` how often one of them changed: so revisions grow, whatever is
    forgotten. `clock_ms` is the topic's time.
    """

    merges: bool = False
    count: int = 0
    changes: int = 0
    clock_ms: int = -1
    lines: list[Line] = field(default_factory=list)
    forgotten: Forgotten = field(default_factory=Forgotten)
    works: list[CaptionWork | Unmet] = field(default_factory=list)

    @classmethod
    def from_json(cls, part: Mapping[str, Json]) -> Self:
        known = {name: part[name] for name in _NUMBERS if name in part}
        lines = [Line.from_json(line) for line in part.get("lines", [])]
        forgotten = Forgotten.from_json(part["forgotten"]) if "forgotten" in part else Forgotten()
        return cls(part.get("merges", False), **known, lines=lines, forgotten=forgotten)

    def to_json(self) -> dict[str, Json]:
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return numbers | {"lines": [list(line) for line in self.lines], "forgotten": self.forgotten.to_json()}

    def take(self, record: MediaRecord) -> None:
        """A caption or the end; of a session that merges every record."""
        is_end = record.kind is RecordKind.END
        if self.merges:
            self._pass_time(record)
            self._tell_due(record.session_id, is_end=is_end)
        if is_end:
            self.lines = []
        elif isinstance(record, Caption) and record.kind is RecordKind.FRAME:
            self._caption(record)
            self._forget(record.session_id)

    def _pass_time(self, record: MediaRecord) -> None:
        at_ms = record.timestamp_ms
        if record.kind is RecordKind.TICK:
            self.clock_ms = max(self.clock_ms, at_ms)
        elif self.clock_ms < 0:
            self.clock_ms = at_ms if at_ms in TIMES_MS else -1
        elif record.kind is RecordKind.FRAME:
            self.clock_ms = max(self.clock_ms, min(at_ms, self.clock_ms + STEP_MS))

    def _caption(self, caption: Caption) -> None:
        if caption.operation not in (UPDATE, DELETE):
            self._begin(caption)
            return
        said = "" if caption.operation == DELETE or not caption.text.strip() else caption.text
        if (meant := self._meant(caption)) is not None:
            self._change(caption, *meant, said)
        elif not self._may_be_forgotten(caption):
            self.works.append(Unmet(AS_NEW if said else NOTHING))
            if said:
                self._begin(caption)
        elif self.merges:
            self.works.append(Unmet(FORGOTTEN))
        else:  # the id is known all the same
            self.changes += 1
            self.works.append(CaptionWork(replace(caption, text=said), 0, 1 + self.changes, not said))

    def _begin(self, caption: Caption) -> None:
        """What is new, unless it is there already."""
        piece = self._piece(caption)
        whose = caption.participant_id, caption.language
        own = [line for line in self.lines if (line.participant_id, line.language) == whose]
        if any(piece.is_same(Piece(*known)) for line in own for known in line.pieces):
            return
        if not self.merges:
            line = self._line(caption, piece, revision=1)
            self.lines.append(line)
            self.count += not self._may_be_forgotten(caption)  # else perhaps it is counted already
            self.works.append(CaptionWork(caption, line.ordinal))
        elif piece.said:
            self._merge(caption, piece, own)

    def _merge(self, caption: Caption, piece: Piece, own: list[Line]) -> None:
        before = next((line for line in own if not line.is_told), None)
        if before is not None and before.is_joined_by(piece):
            line = before._replace(due_ms=self.clock_ms + WAIT_MS, pieces=[*before.pieces, list(piece)])
            self._put(before, line)
        else:
            if before is not None:
                self._tell(caption.session_id, before)
            line = self._line(caption, piece, revision=0)
            self.lines.append(line)
        if line.is_long:
            self._tell(caption.session_id, line)

    def _change(self, caption: Caption, line: Line, at: int, said: str) -> None:
        """Other words, or none, where there were some."""
        before = Piece(*line.pieces[at])
        piece = self._piece(replace(caption, text=said))
        is_gone = not said
        if piece.said == before.said:
            return
        left = [list(piece._replace(start_ms=before.start_ms, end_ms=max(before.start_ms, piece.end_ms)))]
        pieces = [*line.pieces[:at], *([] if is_gone else left), *line.pieces[at + 1 :]]
        name = name_of(caption) or line.participant_name
        changed = line._replace(pieces=pieces, participant_name=name, withdraws=line.withdraws or is_gone)
        if not line.is_told:
            self._put(line, changed._replace(withdraws=False) if pieces else None)
            return
        self.changes += 1
        changed = changed._replace(revision=1 + self.changes)
        self._put(line, changed)
        self.works.append(written(caption.session_id, changed, changed.text if self.merges else said))

    def _meant(self, caption: Caption) -> tuple[Line, int] | None:
        """Which piece of which line a correction is about: the one that fits best, of these the last one, of its own
        language if there is one."""
        best: tuple[tuple[int, bool], Line, int] | None = None
        for line in self.lines:
            for at, known in enumerate(line.pieces if line.participant_id == caption.participant_id else ()):
                fit = Piece(*known).is_meant(start_of(caption), end_of(caption), caption.timestamp_ms)
                rank = fit, line.language == caption.language
                if fit and (best is None or rank >= best[0]):
                    best = rank, line, at
        return None if best is None else best[1:]

    def _may_be_forgotten(self, caption: Caption) -> bool:
        return self.forgotten.may_have(caption.participant_id, start_of(caption))

    def _piece(self, caption: Caption) -> Piece:
        said = " ".join(caption.text.split()) if self.merges else ids.derived("", caption.text)
        return Piece(start_of(caption), end_of(caption), caption.timestamp_ms, said)

    def _line(self, caption: Caption, piece: Piece, revision: int) -> Line:
        begun = caption.participant_id, piece.start_ms
        alike = [line.ordinal for line in self.lines if (line.participant_id, line.start_ms) == begun]
        ordinal = max(alike, default=-1) + 1
        if self.merges and self._may_be_forgotten(caption):  # perhaps as the first piece of another
            self.changes += 1
            ordinal = -self.changes
        due_ms = self.clock_ms + WAIT_MS
        who = caption.participant_id, name_of(caption), caption.language
        return Line(*who, piece.start_ms, ordinal, revision, False, due_ms, [list(piece)])

    def _put(self, line: Line, changed: Line | None) -> None:
        at = self.lines.index(line)
        self.lines[at : at + 1] = [] if changed is None else [changed]

    def _tell_due(self, session_id: str, *, is_end: bool) -> None:
        for line in list(self.lines):
            if not line.is_told and (is_end or line.due_ms <= self.clock_ms):
                self._tell(session_id, line)

    def _tell(self, session_id: str, line: Line) -> None:
        told = line._replace(revision=1)
        self._put(line, told)
        self.count += 1
        self.works.append(written(session_id, told, told.text))

    def _forget(self, session_id: str) -> None:
        for line in self._beyond(MOST_OPEN, is_told=False):
            self._tell(session_id, line)
        for line in self._beyond(REMEMBERED_MERGED if self.merges else REMEMBERED, is_told=True):
            self.forgotten.add(line.participant_id, max([line.start_ms, *(piece[0] for piece in line.pieces)]))
            self._put(line, None)

    def _beyond(self, most: int, *, is_told: bool) -> list[Line]:
        """The lines that are too many: those too heavy by themselves, then the oldest."""
        lines = sorted((line for line in self.lines if line.is_told is is_told), key=lambda line: line.weight <= most)
        excess, beyond = sum(line.weight for line in lines) - most, list[Line]()
        for line in lines:
            if excess > 0:
                excess -= line.weight
                beyond.append(line)
        return beyond
