"""What happens in a meeting and when, as plain values: who speaks which words, who comes and goes, whose camera is on.

Times are milliseconds from the meeting's start. Everything that a socket carries later is derived from this, and so is
what the tests compare with.
"""

from dataclasses import dataclass

from connectors.rtms.simulator.people import Cast, Person
from connectors.rtms.simulator.readings import READINGS, Phrase


@dataclass(frozen=True, slots=True)
class Span:
    """Something of one participant that lasts."""

    user_id: int
    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        """How long it lasts."""
        return self.end_ms - self.start_ms

    def holds(self, at_ms: int) -> bool:
        """Whether it goes on at that time; the end is outside."""
        return self.start_ms <= at_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody speaks phrases `first` to `last` of a reading, starting at `start_ms`."""

    user_id: int
    start_ms: int
    reading: str
    first: int
    last: int

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """The phrases, with their bounds in the recording."""
        return READINGS[self.reading].phrases[self.first : self.last + 1]

    @property
    def recorded_ms(self) -> tuple[int, int]:
        """From where to where in the recording."""
        return self.phrases[0].start_ms, self.phrases[-1].end_ms

    @property
    def end_ms(self) -> int:
        """When the last phrase is over."""
        first_ms, last_ms = self.recorded_ms
        return self.start_ms + last_ms - first_ms

    @property
    def text(self) -> str:
        """The words."""
        return " ".join(phrase.text for phrase in self.phrases)

    def spoken(self) -> tuple[Phrase, ...]:
        """The phrases, with their bounds in the meeting."""
        shift_ms = self.start_ms - self.phrases[0].start_ms
        return tuple(Phrase(p.start_ms + shift_ms, p.end_ms + shift_ms, p.text) for p in self.phrases)


@dataclass(frozen=True, slots=True)
class ChatLine:
    """One operation in the chat; `operation` is Zoom's number, `about` the message it replies to or changes."""

    at_ms: int
    user_id: int
    operation: int
    message: str
    text: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class CaptionStyle:
    """How Zoom's captions come: whether at all, in which language by Zoom's number, how long after the words, and
    whether those that are new say so."""

    sent: bool = True
    language: int = 9
    delay_ms: int = 700
    say_new: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """At `at_ms` Zoom changes its mind about a caption, counted from 0 in the order of sending: other words, or none
    at all (None)."""

    at_ms: int
    caption: int
    text: str | None


@dataclass(frozen=True, slots=True)
class PictureSize:
    """From `at_ms` on, cameras send pictures of this size in pixels; both are even."""

    at_ms: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Script:
    """A whole meeting. `speakers` are the spans that Zoom calls active speaker; `beats` are the beeps' times."""

    seed: int
    length_ms: int
    cast: Cast
    turns: tuple[Turn, ...]
    presences: tuple[Span, ...]
    cameras: tuple[Span, ...]
    speakers: tuple[Span, ...]
    shares: tuple[Span, ...]
    chat: tuple[ChatLine, ...]
    beats: tuple[int, ...]
    captions: CaptionStyle = CaptionStyle()
    corrections: tuple[Correction, ...] = ()
    sizes: tuple[PictureSize, ...] = ()

    def present(self, at_ms: int) -> list[Person]:
        """Who is in the meeting at that time, in the order of joining."""
        return [self.cast.named(span.user_id) for span in self.presences if span.holds(at_ms)]

    def with_camera(self, at_ms: int) -> list[Person]:
        """Whose camera is on at that time."""
        return [self.cast.named(span.user_id) for span in self.cameras if span.holds(at_ms)]

    def is_alone(self, turn: Turn) -> bool:
        """Whether nobody else speaks during that turn."""
        others = (other for other in self.turns if other is not turn)
        return not any(other.start_ms < turn.end_ms and turn.start_ms < other.end_ms for other in others)

    def pictured(self) -> tuple[Span, ...]:
        """When the active speaker's picture is seen: spans in order of starting, never overlapping."""
        seen = [
            Span(speaker.user_id, max(speaker.start_ms, camera.start_ms), min(speaker.end_ms, camera.end_ms))
            for speaker in self.speakers
            for camera in self.cameras
            if speaker.user_id == camera.user_id
        ]
        return tuple(sorted((span for span in seen if span.length_ms > 0), key=lambda span: span.start_ms))
