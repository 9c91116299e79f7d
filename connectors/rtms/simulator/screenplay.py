"""A meeting that somebody wrote down, person by person, as a script: pure, and strict about what cannot be."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

import msgspec

from connectors.rtms.protocol.codes import ChatOperation
from connectors.rtms.simulator import writer
from connectors.rtms.simulator.people import Cast
from connectors.rtms.simulator.readings import READINGS
from connectors.rtms.simulator.script import CaptionStyle, ChatLine, Correction, PictureSize, Script, Span, Turn
from connectors.rtms.simulator.validation import Invalid, Path, Seconds


class ReadingName(StrEnum):
    """The recordings there are."""

    TWO_CITIES = "two_cities"
    BECKETT = "beckett"


class ChatVerb(StrEnum):
    """What can be done in the chat."""

    NEW = "new"
    DELETE = "delete"
    UPDATE = "update"
    ADD_REACTION = "add_reaction"
    REMOVE_REACTION = "remove_reaction"


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of a screenplay have in common."""


class PersonEntry(_Entry, frozen=True, kw_only=True):
    """Somebody, from `joins_s` to `leaves_s`; `camera` is on throughout, never, or in spans of seconds."""

    name: str
    id: int | None = None
    joins_s: Seconds = 0.0
    leaves_s: Seconds | None = None
    camera: bool | list[tuple[Seconds, Seconds]] = True


class SpeechEntry(_Entry, frozen=True, kw_only=True):
    """Somebody reads phrases `first` to `last` (from 0, both included) of a reading aloud."""

    who: str
    at_s: Seconds
    reading: ReadingName = ReadingName.TWO_CITIES
    first: int = 0
    last: int | None = None


class SpeakerEntry(_Entry, frozen=True, kw_only=True):
    """Zoom calls `who` the active speaker from `at_s` on."""

    who: str
    at_s: Seconds


class ShareEntry(_Entry, frozen=True, kw_only=True):
    """Somebody shares slides."""

    who: str
    from_s: Seconds
    to_s: Seconds


class ChatEntry(_Entry, frozen=True, kw_only=True):
    """One operation on `message`; `about` is the message that a new one replies to."""

    who: str
    at_s: Seconds
    text: str = ""
    operation: ChatVerb = ChatVerb.NEW
    message: str | None = None
    about: str | None = None


class CaptionsEntry(_Entry, frozen=True, kw_only=True):
    """Zoom's captions of what is said; `language` is Zoom's number, `say_new` puts an attribute into new ones too."""

    sent: bool = True
    language: int = 9
    delay_s: Seconds = 0.7
    say_new: bool = False


class CorrectionEntry(_Entry, frozen=True, kw_only=True):
    """Zoom says at `at_s` that caption number `caption` (from 0, in the order of sending) reads `text`; without a text,
    that it is deleted."""

    at_s: Seconds
    caption: int
    text: str | None = None


class PicturesEntry(_Entry, frozen=True, kw_only=True):
    """From `at_s` on, cameras send pictures of this size."""

    at_s: Seconds
    width: int
    height: int


class Screenplay(_Entry, frozen=True, kw_only=True):
    """The parts of a scenario that make a script; see the entries. `beeps` False: no beacon, and no flashes."""

    people: list[PersonEntry]
    speech: list[SpeechEntry]
    speakers: list[SpeakerEntry]
    share: list[ShareEntry]
    chat: list[ChatEntry]
    beeps: bool


def caption_style(entry: CaptionsEntry) -> CaptionStyle:
    """How the captions come."""
    return CaptionStyle(entry.sent, entry.language, round(1000 * entry.delay_s), entry.say_new)


def corrections(entries: Iterable[CorrectionEntry]) -> tuple[Correction, ...]:
    """Zoom's changes of mind, as they stand there."""
    return tuple(Correction(round(1000 * entry.at_s), entry.caption, entry.text) for entry in entries)


def picture_sizes(entries: Iterable[PicturesEntry]) -> tuple[PictureSize, ...]:
    """The sizes in the order of time."""
    found = []
    for number, entry in enumerate(entries):
        if not (16 <= entry.width <= 4096 and 16 <= entry.height <= 4096) or entry.width % 2 or entry.height % 2:
            raise Invalid("width and height are even and from 16 to 4096", ("pictures", number))
        found.append(PictureSize(round(1000 * entry.at_s), entry.width, entry.height))
    return tuple(sorted(found, key=lambda size: size.at_ms))


def stage(play: Screenplay, seed: int, seconds: int) -> Script:
    """The script of a screenplay.

    Raises:
        Invalid: it cannot be played; the path says which entry.
    """
    return _Stage(play, seed, seconds * 1000).script()


class _Stage:
    """One screenplay and what was found out about it."""

    def __init__(self, play: Screenplay, seed: int, length_ms: int) -> None:
        self._play = play
        self._seed = seed
        self._length_ms = length_ms
        self._cast = Cast.invite([(person.name, person.id) for person in play.people], seed, beacon=play.beeps)
        self._check_names()
        self._ids = {person.name: person.user_id for person in self._cast}
        self._presence: dict[int, Span] = {}
        for number, (person, user_id) in enumerate(zip(play.people, self._ids.values(), strict=False)):
            leaves_s = length_ms / 1000 if person.leaves_s is None else person.leaves_s
            self._presence[user_id] = self._span(user_id, person.joins_s, leaves_s, ("people", number))

    def script(self) -> Script:
        turns = self._turns()
        first = self._cast.people[0].user_id
        presences = list(self._presence.values())
        if (beacon := self._cast.beacon) is not None:
            presences.append(Span(beacon.user_id, 0, self._length_ms))
        return Script(
            seed=self._seed,
            length_ms=self._length_ms,
            cast=self._cast,
            turns=turns,
            presences=tuple(sorted(presences, key=lambda span: span.start_ms)),
            cameras=self._cameras(),
            speakers=self._speakers() or writer.speakers(first, turns, self._length_ms),
            shares=self._shares(),
            chat=self._chat(),
            beats=writer.beats(self._length_ms) if self._play.beeps else (),
        )

    def _check_names(self) -> None:
        names = [person.name for person in self._cast]
        ids = [person.user_id for person in self._cast]
        for number, (name, user_id) in enumerate(zip(names, ids, strict=True)):
            if name in names[:number] or user_id in ids[:number]:
                raise Invalid("there is somebody of that name or id already", ("people", number))
            if not 0 < user_id < 2**31:
                raise Invalid("ids are above 0 and below 2147483648", ("people", number, "id"))

    def _who(self, name: str, path: Path) -> int:
        if name not in self._ids:
            people = ", ".join(person.name for person in self._play.people)
            raise Invalid(f"there is no {name!r}; people here: {people}", (*path, "who"))
        return self._ids[name]

    def _span(self, user_id: int, from_s: float, to_s: float, path: Path) -> Span:
        span = Span(user_id, round(1000 * from_s), round(1000 * to_s))
        if not 0 <= span.start_ms < span.end_ms <= self._length_ms:
            raise Invalid(f"{from_s:g} to {to_s:g} s lies not within the meeting of {self._length_ms / 1000:g} s", path)
        presence = self._presence.get(user_id)
        if presence is not None and not (presence.start_ms <= span.start_ms and span.end_ms <= presence.end_ms):
            here = f"from {presence.start_ms / 1000:g} to {presence.end_ms / 1000:g} s"
            raise Invalid(f"{from_s:g} to {to_s:g} s, but {self._cast.named(user_id).name} is there {here}", path)
        return span

    def _turns(self) -> tuple[Turn, ...]:
        turns = []
        for number, entry in enumerate(self._play.speech):
            path: Path = ("speech", number)
            last = len(READINGS[entry.reading].phrases) - 1
            if not 0 <= entry.first <= (last if entry.last is None else entry.last) <= last:
                raise Invalid(f"{entry.reading} has phrases 0 to {last}", path)
            chosen = last if entry.last is None else entry.last
            user_id = self._who(entry.who, path)
            turn = Turn(user_id, round(1000 * entry.at_s), entry.reading.value, entry.first, chosen)
            self._span(user_id, entry.at_s, turn.end_ms / 1000, path)
            turns.append((turn, path))
        turns.sort(key=lambda item: item[0].start_ms)
        for (earlier, _), (later, path) in pairwise(sorted(turns, key=lambda t: (t[0].user_id, t[0].start_ms))):
            if earlier.user_id == later.user_id and later.start_ms < earlier.end_ms:
                raise Invalid(f"the same voice speaks until {earlier.end_ms / 1000:g} s", path)
        return tuple(turn for turn, _ in turns)

    def _cameras(self) -> tuple[Span, ...]:
        spans: list[Span] = []
        for number, person in enumerate(self._play.people):
            user_id = self._ids[person.name]
            if person.camera is True:
                spans.append(self._presence[user_id])
            elif person.camera:
                path: Path = ("people", number, "camera")
                spans += [self._span(user_id, *span, path) for span in person.camera]
        return tuple(sorted(spans, key=lambda span: span.start_ms))

    def _speakers(self) -> tuple[Span, ...]:
        if not self._play.speakers:
            return ()
        starts = [(round(1000 * e.at_s), self._who(e.who, ("speakers", n))) for n, e in enumerate(self._play.speakers)]
        starts.sort()
        ends = [at_ms for at_ms, _ in starts[1:]] + [self._length_ms]
        return tuple(Span(user_id, at_ms, end) for (at_ms, user_id), end in zip(starts, ends, strict=True))

    def _shares(self) -> tuple[Span, ...]:
        entries = enumerate(self._play.share)
        spans = [self._span(self._who(e.who, ("share", n)), e.from_s, e.to_s, ("share", n)) for n, e in entries]
        for number, (earlier, later) in enumerate(pairwise(spans)):
            if later.start_ms < earlier.end_ms:
                raise Invalid("one share at a time, in the order of time", ("share", number + 1))
        return tuple(spans)

    def _chat(self) -> tuple[ChatLine, ...]:
        lines = []
        for number, entry in enumerate(self._play.chat):
            path: Path = ("chat", number)
            if entry.operation is not ChatVerb.NEW and entry.message is None:
                raise Invalid(f"{entry.operation} needs the 'message' that it is about", path)
            user_id = self._who(entry.who, path)
            at_ms = self._span(user_id, entry.at_s, entry.at_s + 0.001, path).start_ms
            operation = ChatOperation[entry.operation.name]
            lines.append(ChatLine(at_ms, user_id, operation, entry.message or f"m{number}", entry.text, entry.about))
        return tuple(sorted(lines, key=lambda line: line.at_ms))
