"""Who is in the meeting, and who speaks: Zoom's events in, joins and leaves out, each exactly once.

On subscribing, which happens anew with every epoch, Zoom announces everybody who is present. So a join of somebody who
is known to be there says nothing new; and who was there before and is not announced within SETTLE_MS of a new epoch
has left while nobody listened. Whoever is there at the end leaves with it.

In a contact center who answers has joined, and who hangs up has left. Of those who answered before we came Zoom
announces the consumer, and whether the agents as well nobody says: there, absence means nothing.

Zoom names one active speaker at a time. Who is named starts to speak, and stops when somebody else is named, on leaving
or at the end; a change of epoch says nothing about it. Told of only in sessions that ask for it.

That somebody pauses the stream is no participant's doing, but Zoom tells it among these events: it becomes a fact of
the session. What lasts at the end has ended with it.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from connectors.rtms.protocol.codes import SessionState, StreamState
from processors.checkpoint.folds import Json, known_fields
from processors.checkpoint.windows import Observed
from schemas import settings as session_settings
from schemas.participant_events import JOIN, LEAVE, SPEECH_START, SPEECH_STOP
from schemas.records import Event, MediaRecord, RecordKind

JOINED = "participant_joined"
LEFT = "participant_left"
ANSWERED = frozenset({"consumer_answered", "user_answered"})
HUNG_UP = frozenset({"consumer_end", "user_end", "conference_participant_left"})
SPEAKS = "active_speaker_changed"

SESSION_ENDED = "session_ended"

STREAM_STATE = "stream_state_changed"
SESSION_STATE = "session_state_changed"
_PAUSES = frozenset({(STREAM_STATE, StreamState.PAUSED), (SESSION_STATE, SessionState.PAUSED)})
_FLOWS = frozenset(
    {
        (STREAM_STATE, StreamState.ACTIVE),
        (STREAM_STATE, StreamState.RESUMED),
        (SESSION_STATE, SessionState.STARTED),
        (SESSION_STATE, SessionState.RESUMED),
    }
)

SETTLE_MS = 5000
"""How long after the first record of an epoch an announcement may take, in Zoom's time."""

MAX_PRESENT = 10_000
MAX_NAME_CHARACTERS = 128
"""What is remembered stands in the session's state. Who finds no place is believed without being remembered: a leave is
written as Zoom reports it, and a join again whenever Zoom announces it again."""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did, to be written. `reason` says why a leave was concluded; "" means that Zoom reported it.

    Several may share the epoch and sequence of the record that showed them.
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
class Pausing:
    """The stream was paused, or goes on, from `at_ms` on."""

    is_paused: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is present as of some record, by participant id as text (it is kept as JSON).

    In a new epoch `unseen` are those not announced yet and `since_ms` is its first time; `is_announced` says that
    Zoom has announced anybody at all, without which absence means nothing. `is_crowded`: somebody found no place.
    `speaker` is whom Zoom named last, if that is to be told (`tells_speech`). `is_paused`: nothing is sent just now.
    """

    present: dict[str, str | None] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    since_ms: int | None = None
    is_announced: bool = False
    is_crowded: bool = False
    count: int = 0
    tells_speech: bool = False
    speaker: str | None = None
    is_paused: bool = False

    @classmethod
    def from_json(cls, value: Json) -> Self:
        if not value:
            return cls()
        return cls(**{**known_fields(cls.__dataclass_fields__, value), "unseen": tuple(value["unseen"])})

    def to_json(self) -> dict[str, Any]:
        return {
            "present": self.present,
            "unseen": list(self.unseen),
            "since_ms": self.since_ms,
            "is_announced": self.is_announced,
            "is_crowded": self.is_crowded,
            "count": self.count,
            "tells_speech": self.tells_speech,
            "speaker": self.speaker,
            "is_paused": self.is_paused,
        }

    def begun(self, tells_speech: bool) -> Self:
        """A new epoch: everybody has to be announced again."""
        unseen = tuple(sorted(self.present))
        return replace(self, unseen=unseen, since_ms=None, is_announced=False, tells_speech=tells_speech)

    def joined(self, participant: str, name: str | None, *, announces_all: bool) -> tuple[Self, bool]:
        """With the participant present, as far as there is room, and whether that is new."""
        is_new = participant not in self.present
        is_announced = self.is_announced or announces_all
        if is_new and len(self.present) >= MAX_PRESENT:
            return replace(self, is_announced=is_announced, is_crowded=True, count=self.count + 1), True
        name = None if name is None else name[:MAX_NAME_CHARACTERS]
        known = name if is_new or name is not None else self.present[participant]
        unseen = tuple(other for other in self.unseen if other != participant)
        present = {**self.present, participant: known}
        count = self.count + is_new
        return replace(self, present=present, unseen=unseen, is_announced=is_announced, count=count), is_new

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


def observed(part: Json, record: MediaRecord) -> Observed:
    """What a record of the events topic does to the roster in `part`, and what is to be told of it."""
    roster = Roster.from_json(part)
    if record.kind is RecordKind.BEGIN:
        return Observed(roster.begun(_tells_speech(record)).to_json())
    if record.kind is RecordKind.END:
        roster, stops = _spoken(roster, record, None, record.timestamp_ms, SESSION_ENDED)
        roster, leaves = _gone(roster, record, tuple(sorted(roster.present)), record.timestamp_ms, SESSION_ENDED)
        roster, resumed = _paused(roster, False, record.timestamp_ms)
        return Observed(roster.to_json(), stops + leaves + resumed)
    roster, unheard = roster.settled(record.timestamp_ms)
    roster, gone = _gone(roster, record, unheard, roster.since_ms or record.timestamp_ms, "not_announced_again")
    roster, changes = _reported(roster, record)
    roster, pausing = _flowing(roster, record)
    return Observed(roster.to_json(), gone + changes + pausing)


def _tells_speech(record: MediaRecord) -> bool:
    return record.begin is not None and session_settings.readable(record.begin.settings).speech_events


def _reported(roster: Roster, record: MediaRecord) -> tuple[Roster, tuple[Change, ...]]:
    """What Zoom says in so many words."""
    if not isinstance(record, Event) or record.kind is not RecordKind.FRAME:
        return roster, ()
    participant = str(record.participant_id)
    if record.event == SPEAKS and roster.tells_speech:
        return _spoken(roster, record, participant if record.participant_id else None, record.timestamp_ms)
    if record.event == JOINED or (record.event in ANSWERED and record.participant_id):
        roster, is_new = roster.joined(participant, record.participant_name, announces_all=record.event == JOINED)
        return roster, (_change(JOIN, record, record.participant_name),) if is_new else ()
    is_leave = record.event == LEFT or record.event in HUNG_UP
    if is_leave and (participant in roster.present or roster.is_crowded):
        is_speaker = participant == roster.speaker
        roster, stops = _spoken(roster, record, None, record.timestamp_ms) if is_speaker else (roster, ())
        name = record.participant_name or roster.present.get(participant)
        return roster.without((participant,)), (*stops, _change(LEAVE, record, name))
    return roster, ()


def _flowing(roster: Roster, record: MediaRecord) -> tuple[Roster, tuple[Pausing, ...]]:
    """What Zoom says of whether anything is sent; of one pause it may tell twice, for the stream and the session."""
    if not isinstance(record, Event) or record.kind is not RecordKind.FRAME:
        return roster, ()
    told = record.event, record.code
    if told not in _PAUSES | _FLOWS:
        return roster, ()
    return _paused(roster, told in _PAUSES, record.timestamp_ms)


def _paused(roster: Roster, is_paused: bool, at_ms: int) -> tuple[Roster, tuple[Pausing, ...]]:
    if roster.is_paused == is_paused:
        return roster, ()
    return replace(roster, is_paused=is_paused), (Pausing(is_paused, at_ms),)


def _change(event: str, record: Event, name: str | None) -> Change:
    return Change(
        event, record.epoch, record.sequence, record.participant_id, name, record.timestamp_ms, record.details
    )


def _gone(
    roster: Roster, record: MediaRecord, leaving: tuple[str, ...], at_ms: int, reason: str
) -> tuple[Roster, tuple[Change, ...]]:
    """Without those who must have left, and what is told of them."""
    roster, stops = _spoken(roster, record, None, at_ms, reason) if roster.speaker in leaving else (roster, ())
    leaves = tuple(_concluded(LEAVE, record, who, roster.present[who], at_ms, reason) for who in leaving)
    return roster.without(leaving), stops + leaves


def _spoken(
    roster: Roster, record: MediaRecord, speaker: str | None, at_ms: int, reason: str = ""
) -> tuple[Roster, tuple[Change, ...]]:
    """With nobody but `speaker` speaking from now on, and what is told of it."""
    before = roster.speaker
    if speaker == before:
        return roster, ()
    changes = []
    if before is not None:
        changes.append(_concluded(SPEECH_STOP, record, before, roster.present.get(before), at_ms, reason))
    if speaker is not None:
        name = record.participant_name or roster.present.get(speaker)
        changes.append(_concluded(SPEECH_START, record, speaker, name, at_ms, reason))
    return replace(roster, speaker=speaker, count=roster.count + len(changes)), tuple(changes)


def _concluded(event: str, record: MediaRecord, who: str, name: str | None, at_ms: int, reason: str) -> Change:
    return Change(event, record.epoch, record.sequence, int(who), name, at_ms, reason=reason)
