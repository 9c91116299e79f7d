"""What goes wrong in a simulated meeting, as data: a list of objects, each with a `kind` and what it needs.

    [{"kind": "refuse_signalling", "status": 8, "times": 2},
     {"kind": "cut_media", "medium": "video", "at_s": 20},
     {"kind": "pause", "at_s": 30, "for_s": 5}]

Three sorts: at a handshake (the next `times` ones, from `at_s` on), at a time (seconds from the meeting's start), and
habits of the whole meeting.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from connectors.rtms.protocol.codes import Medium, Status, StopReason
from connectors.rtms.simulator.validation import Invalid, Seconds, convert


class FaultKind(StrEnum):
    """What can go wrong."""

    REFUSE_SIGNALLING = "refuse_signalling"
    REFUSE_MEDIA = "refuse_media"
    IGNORE_SIGNALLING = "ignore_signalling"
    IGNORE_MEDIA = "ignore_media"
    CLOSE_SIGNALLING = "close_signalling"
    CLOSE_MEDIA = "close_media"
    CUT_SIGNALLING = "cut_signalling"
    CUT_MEDIA = "cut_media"
    MOVE = "move"
    STOP = "stop"
    SAY_INTERRUPTED = "say_interrupted"
    SAY_MEDIA_INTERRUPTED = "say_media_interrupted"
    PAUSE = "pause"
    UNKNOWN_MESSAGE = "unknown_message"
    LARGE_PICTURE = "large_picture"
    LATE_START = "late_start"
    STRING_IDS = "string_ids"
    BINARY = "binary"
    MIXED_FRAMING = "mixed_framing"
    CAPTIONS_IN_US = "captions_in_us"
    NO_KEEP_ALIVES = "no_keep_alives"
    UNHEARD_ANSWERS = "unheard_answers"
    UNHEARD_CLOSE = "unheard_close"
    SWITCH_MID_GROUP = "switch_mid_group"
    DUPLICATE_WEBHOOK = "duplicate_webhook"


EXPLANATIONS = {
    FaultKind.REFUSE_SIGNALLING: "answer message 1 with `status`, for the next `times` handshakes",
    FaultKind.REFUSE_MEDIA: "answer message 3 with `status`, of `medium` or of any",
    FaultKind.IGNORE_SIGNALLING: "never answer message 1",
    FaultKind.IGNORE_MEDIA: "never answer message 3",
    FaultKind.CLOSE_SIGNALLING: "close instead of answering message 1",
    FaultKind.CLOSE_MEDIA: "close instead of answering message 3",
    FaultKind.CUT_SIGNALLING: "reset the signalling connection at `at_s`",
    FaultKind.CUT_MEDIA: "reset the media connection of `medium`, or all of them, at `at_s`",
    FaultKind.MOVE: "the server dies at `at_s`: all is reset, a second started webhook brings a new address",
    FaultKind.STOP: "end the stream at `at_s` for `stop_reason`, by name or number; start it again `for_s` later",
    FaultKind.SAY_INTERRUPTED: "send the interrupted webhook at `at_s` although nothing broke",
    FaultKind.SAY_MEDIA_INTERRUPTED: "say at `at_s` that the socket of `medium` broke although it stands",
    FaultKind.PAUSE: "pause the stream from `at_s` on, for `for_s`",
    FaultKind.UNKNOWN_MESSAGE: "send a message of a type nobody knows on every socket at `at_s`",
    FaultKind.LARGE_PICTURE: "make the first camera picture after `at_s` at least `bytes` long",
    FaultKind.LATE_START: "the stream started `for_s` ago: a burst of buffered audio awaits the client",
    FaultKind.STRING_IDS: "write user ids as strings",
    FaultKind.BINARY: "send binary frames instead of text",
    FaultKind.MIXED_FRAMING: "alternate between binary and text frames",
    FaultKind.CAPTIONS_IN_US: "give the times of captions in microseconds",
    FaultKind.NO_KEEP_ALIVES: "send no keep-alives, or none from `at_s` on",
    FaultKind.UNHEARD_ANSWERS: "take no notice of answers to keep-alives: sockets are cut after three",
    FaultKind.UNHEARD_CLOSE: "take no notice of message 21: the stream goes on",
    FaultKind.SWITCH_MID_GROUP: "switch to a new speaker's camera between two of its key frames",
    FaultKind.DUPLICATE_WEBHOOK: "send the started webhook twice",
}

_AT_HANDSHAKE = frozenset(
    {
        FaultKind.REFUSE_SIGNALLING, FaultKind.REFUSE_MEDIA, FaultKind.IGNORE_SIGNALLING, FaultKind.IGNORE_MEDIA,
        FaultKind.CLOSE_SIGNALLING, FaultKind.CLOSE_MEDIA,
    }
)  # fmt: skip
_AT_A_TIME = frozenset(
    {
        FaultKind.CUT_SIGNALLING, FaultKind.CUT_MEDIA, FaultKind.MOVE, FaultKind.STOP, FaultKind.SAY_INTERRUPTED,
        FaultKind.SAY_MEDIA_INTERRUPTED, FaultKind.PAUSE, FaultKind.UNKNOWN_MESSAGE, FaultKind.LARGE_PICTURE,
    }
)  # fmt: skip
_LASTING = frozenset({FaultKind.PAUSE, FaultKind.LATE_START})
_AT_THE_START = frozenset({FaultKind.LATE_START, FaultKind.DUPLICATE_WEBHOOK, FaultKind.SWITCH_MID_GROUP})
"""What only a meeting can have that has not begun."""

_TAKES: dict[FaultKind, tuple[str, ...]] = {
    FaultKind.REFUSE_SIGNALLING: ("status", "reason", "times", "at_s"),
    FaultKind.REFUSE_MEDIA: ("status", "reason", "medium", "times", "at_s"),
    FaultKind.IGNORE_SIGNALLING: ("times", "at_s"),
    FaultKind.IGNORE_MEDIA: ("medium", "times", "at_s"),
    FaultKind.CLOSE_SIGNALLING: ("times", "at_s"),
    FaultKind.CLOSE_MEDIA: ("medium", "times", "at_s"),
    FaultKind.CUT_SIGNALLING: ("at_s",),
    FaultKind.CUT_MEDIA: ("medium", "at_s"),
    FaultKind.MOVE: ("at_s",),
    FaultKind.STOP: ("stop_reason", "at_s", "for_s"),
    FaultKind.SAY_INTERRUPTED: ("at_s",),
    FaultKind.SAY_MEDIA_INTERRUPTED: ("medium", "at_s"),
    FaultKind.PAUSE: ("at_s", "for_s"),
    FaultKind.UNKNOWN_MESSAGE: ("at_s",),
    FaultKind.LARGE_PICTURE: ("bytes", "at_s"),
    FaultKind.LATE_START: ("for_s",),
    FaultKind.NO_KEEP_ALIVES: ("at_s",),
}
"""The fields of a kind; the others are habits, which have none."""


LARGEST_BYTES = 128 * 1024 * 1024
"""Of a picture: more than any client takes."""


class BadFault(ValueError):
    """A fault that cannot be; the text says why."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong. `at_s` None: at once for a timed one, from the start for others."""

    kind: FaultKind
    status: Annotated[int, msgspec.Meta(ge=1, lt=2**31)] = int(Status.INTERNAL_EXCEPTION)
    reason: str = "as the fault list asks"
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    medium: Medium | None = None
    at_s: Seconds | None = None
    for_s: Seconds = 0.0
    stop_reason: int | str = int(StopReason.MEETING_ENDED)
    bytes: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_BYTES)] = 10_000_000

    def __post_init__(self) -> None:
        self._check_fields()
        if self.kind in _LASTING and self.for_s <= 0:
            raise BadFault(f"{self.kind} needs a 'for_s' above 0")
        if self.medium is Medium.EVENTS:
            raise BadFault("events have no socket of their own; 'medium' is audio, video, share, captions or chat")
        stop_reason_of(self.stop_reason)

    def _check_fields(self) -> None:
        """What a kind does not take would be without effect, and whoever wrote it down expects one."""
        takes = _TAKES.get(self.kind, ())
        for field in msgspec.structs.fields(self):
            if field.name not in ("kind", *takes) and getattr(self, field.name) != field.default:
                raise BadFault(f"{self.kind} takes no {field.name!r}; it takes: {', '.join(takes) or 'nothing'}")


def stop_reason_of(value: int | str) -> StopReason:
    """A stop reason by its number or by its name in small letters; BadFault when there is none."""
    named = {reason.name.lower(): reason for reason in StopReason}
    by_text = {str(int(reason)): reason for reason in StopReason} | named
    try:
        return by_text[str(value)]
    except KeyError:
        raise BadFault(f"no such stop reason: {value}; allowed: 0 to 26, or {', '.join(named)}") from None


def read_fault(value: Any) -> Fault:
    """A fault from its JSON object.

    Raises:
        BadFault: it is none.
    """
    if isinstance(value, dict):
        value = {name: item for name, item in value.items() if item is not None}
    try:
        return convert(value, Fault, strict=False)
    except Invalid as error:
        raise BadFault(str(error)) from None


def parse_fault(text: str) -> Fault:
    """A fault from a command line: `kind` or `kind:name=value,name=value`.

    Raises:
        BadFault: it is none.
    """
    kind, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",") if part]
    return read_fault({"kind": kind} | {name.strip(): value.strip() for name, _, value in pairs})


def _begins_late(fault: Fault) -> bool:
    return fault.kind is FaultKind.NO_KEEP_ALIVES and fault.at_s is not None


class Faults:
    """The faults of one meeting. Those at handshakes are used up, the others stay."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)

    def add(self, fault: Fault, now_s: float) -> None:
        """One more, in a meeting that runs; one without a time happens now, a habit is one from now on.

        Raises:
            BadFault: it would have to be there from the start.
        """
        if fault.kind in _AT_THE_START:
            raise BadFault(f"{fault.kind} has to be there when the meeting starts")
        if fault.at_s is None and "at_s" in _TAKES.get(fault.kind, ()):
            fault = msgspec.structs.replace(fault, at_s=now_s)
        self._faults.append(fault)

    def take(
        self, kinds: Iterable[FaultKind], media: frozenset[Medium] = frozenset(), *, at_s: float = 0.0
    ) -> Fault | None:
        """The first fault of these kinds that concerns a handshake for `media` at that time, used up by one."""
        wanted = _AT_HANDSHAKE.intersection(kinds)
        for index, fault in enumerate(self._faults):
            begun = fault.at_s is None or fault.at_s <= at_s
            if begun and fault.kind in wanted and (fault.medium is None or fault.medium in media):
                left = msgspec.structs.replace(fault, times=fault.times - 1)
                self._faults[index : index + 1] = [left] if left.times > 0 else []
                return fault
        return None

    def has(self, kind: FaultKind, at_s: float = 0.0) -> bool:
        """Whether that habit is in force, so many seconds after the meeting's start."""
        return any(fault.kind is kind and (fault.at_s is None or fault.at_s <= at_s) for fault in self._faults)

    def timed(self) -> list[Fault]:
        """Those that happen at a time."""
        return [fault for fault in self._faults if fault.kind in _AT_A_TIME or _begins_late(fault)]

    def starts_again_after_s(self, reason: StopReason | None) -> float | None:
        """How long a stream that ended for this reason is over before it is started again; None: for good."""
        stops = (fault for fault in self._faults if fault.kind is FaultKind.STOP and fault.for_s > 0)
        return next((fault.for_s for fault in stops if stop_reason_of(fault.stop_reason) is reason), None)

    def late_by_ms(self) -> int:
        """How long ago the stream started before anybody was told."""
        return round(1000 * sum(fault.for_s for fault in self._faults if fault.kind is FaultKind.LATE_START))
