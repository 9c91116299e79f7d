"""Who is in the meeting: Zoom's events in, joins and leaves out, each exactly once.

On subscribing, which happens anew with every epoch, Zoom announces everybody who is present. So a join of somebody who
is known to be there says nothing new; and who was there before and is not announced within SETTLE_MS of a new epoch
has left while nobody listened. Whoever is there at the end leaves with it.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from processors.checkpoint.folds import Fold, Json
from processors.checkpoint.windows import Cut, Observed, Progress, Track
from schemas.records import Event, MediaRecord, RecordKind
from schemas.topics import CHAT, EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from processors.checkpoint.windows import Logic

JOINED = "participant_joined"
LEFT = "participant_left"

SETTLE_MS = 5000
"""How long after the first record of an epoch an announcement may take, in Zoom's time."""

MAX_PRESENT = 10_000
MAX_NAME_CHARACTERS = 128
"""What is remembered stands in the session's state. Who finds no place is believed without being remembered: a leave is
written as Zoom reports it, and a join again whenever Zoom announces it again."""


@dataclass(frozen=True, slots=True)
class Change:
    """A join or leave to write. `reason` says why a leave was concluded; "" means that Zoom reported it.

    Concluded ones share the epoch and sequence of the record that showed them.
    """

    event: str
    epoch: int
    sequence: int
    participant_id: int
    participant_name: str | None
    timestamp_ms: int
    details: str = "{}"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """The last word: how many changes there were."""

    count: int


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is present as of some record, by participant id as text (it is kept as JSON).

    In a new epoch `unseen` are those not announced yet and `since_ms` is its first time; `is_announced` says that
    Zoom has announced anybody at all, without which absence means nothing. `is_crowded`: somebody found no place.
    """

    present: dict[str, str | None] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    since_ms: int | None = None
    is_announced: bool = False
    is_crowded: bool = False
    count: int = 0

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(**{**value, "unseen": tuple(value["unseen"])}) if value else cls()

    def to_json(self) -> dict[str, Any]:
        return {
            "present": self.present,
            "unseen": list(self.unseen),
            "since_ms": self.since_ms,
            "is_announced": self.is_announced,
            "is_crowded": self.is_crowded,
            "count": self.count,
        }

    def begun(self) -> Self:
        """A new epoch: everybody has to be announced again."""
        return replace(self, unseen=tuple(sorted(self.present)), since_ms=None, is_announced=False)

    def joined(self, participant: str, name: str | None) -> tuple[Self, bool]:
        """With the participant present, as far as there is room, and whether that is new."""
        is_new = participant not in self.present
        if is_new and len(self.present) >= MAX_PRESENT:
            return replace(self, is_announced=True, is_crowded=True, count=self.count + 1), True
        name = None if name is None else name[:MAX_NAME_CHARACTERS]
        known = name if is_new or name is not None else self.present[participant]
        unseen = tuple(other for other in self.unseen if other != participant)
        present = {**self.present, participant: known}
        return replace(self, present=present, unseen=unseen, is_announced=True, count=self.count + is_new), is_new

    def without(self, leaving: tuple[str, ...]) -> Self:
        gone = set(leaving)
        present = {participant: name for participant, name in self.present.items() if participant not in gone}
        unseen = tuple(participant for participant in self.unseen if participant not in gone)
        return replace(self, present=present, unseen=unseen, count=self.count + len(leaving))

    def settled(self, now_ms: int) -> tuple[Self, tuple[str, ...]]:
        """At `now_ms`: the roster with the epoch's time running, and who has left unheard."""
        if not self.unseen:
            return self, ()
        if self.since_ms is None:
            return replace(self, since_ms=now_ms), ()
        if now_ms < self.since_ms + SETTLE_MS:
            return self, ()
        return replace(self, unseen=()), self.unseen if self.is_announced else ()


class ParticipantsLogic:
    """See `checkpoint.windows.Logic`: no windows, everything is in the fold."""

    topics: "tuple[str, ...]" = (EVENTS.name, CHAT.name)
    clocks: "Mapping[str, int]" = {}
    answers_for: "tuple[str, ...]" = topics
    overheard: "tuple[str, ...]" = (CHAT.name,)

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        if topic in self.overheard:
            return Observed(part)
        roster = Roster.from_json(part)
        match record.kind:
            case RecordKind.BEGIN:
                return Observed(roster.begun().to_json())
            case RecordKind.END:
                leaves = _concluded(roster, record, tuple(sorted(roster.present)), record.timestamp_ms, "session_ended")
                return Observed(roster.without(tuple(roster.present)).to_json(), leaves)
        roster, unheard = roster.settled(record.timestamp_ms)
        leaves = _concluded(roster, record, unheard, roster.since_ms or record.timestamp_ms, "not_announced_again")
        roster, changes = _reported(roster.without(unheard), record)
        return Observed(roster.to_json(), leaves + changes)

    def track(self, topic: str, part: Json, record: MediaRecord) -> str | None:
        return None

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        raise NotImplementedError("there are no tracks")

    def final(self, folds: "Mapping[str, Fold]", progress: "Mapping[str, Progress]") -> object | None:
        return Closing(Roster.from_json(folds[EVENTS.name].part).count)


def _reported(roster: Roster, record: MediaRecord) -> tuple[Roster, tuple[Change, ...]]:
    """What Zoom says in so many words."""
    if not isinstance(record, Event) or record.kind is not RecordKind.FRAME:
        return roster, ()
    participant = str(record.participant_id)
    if record.event == JOINED:
        roster, is_new = roster.joined(participant, record.participant_name)
        return roster, (_change("join", record, record.participant_name),) if is_new else ()
    if record.event == LEFT and (participant in roster.present or roster.is_crowded):
        name = record.participant_name or roster.present.get(participant)
        return roster.without((participant,)), (_change("leave", record, name),)
    return roster, ()


def _change(event: str, record: Event, name: str | None) -> Change:
    return Change(
        event, record.epoch, record.sequence, record.participant_id, name, record.timestamp_ms, record.details
    )


def _concluded(
    roster: Roster, record: MediaRecord, leaving: tuple[str, ...], at_ms: int, reason: str
) -> tuple[Change, ...]:
    return tuple(
        Change("leave", record.epoch, record.sequence, int(who), roster.present[who], at_ms, reason=reason)
        for who in leaving
    )


if TYPE_CHECKING:
    _: Logic = ParticipantsLogic()
