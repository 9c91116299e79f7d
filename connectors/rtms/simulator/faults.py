"""What goes wrong in a simulated meeting, as data: a JSON list of objects, each with a `kind` and what it needs.

    [{"kind": "refuse_signalling", "status": 8, "times": 2},
     {"kind": "cut_media", "medium": "video", "at_s": 20},
     {"kind": "pause", "at_s": 30, "for_s": 5}]

Three sorts: at a handshake (the next `times` ones), at a time (seconds from the meeting's start), and habits of the
whole meeting.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from connectors.rtms.protocol.codes import Medium, Status


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
    PAUSE = "pause"
    UNKNOWN_MESSAGE = "unknown_message"
    LATE_START = "late_start"
    STRING_IDS = "string_ids"
    BINARY = "binary"
    MIXED_FRAMING = "mixed_framing"
    CAPTIONS_IN_US = "captions_in_us"
    NO_KEEP_ALIVES = "no_keep_alives"
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
    FaultKind.PAUSE: "pause the stream from `at_s` on, for `for_s`",
    FaultKind.UNKNOWN_MESSAGE: "send a message of a type nobody knows on every socket at `at_s`",
    FaultKind.LATE_START: "the stream started `for_s` ago: a burst of buffered audio awaits the client",
    FaultKind.STRING_IDS: "write user ids as strings",
    FaultKind.BINARY: "send binary frames instead of text",
    FaultKind.MIXED_FRAMING: "alternate between binary and text frames",
    FaultKind.CAPTIONS_IN_US: "give the times of captions in microseconds",
    FaultKind.NO_KEEP_ALIVES: "send no keep-alives",
    FaultKind.DUPLICATE_WEBHOOK: "send the started webhook twice",
}

_AT_HANDSHAKE = frozenset(kind for kind in FaultKind if kind.value.split("_")[0] in ("refuse", "ignore", "close"))
_AT_A_TIME = frozenset({FaultKind.CUT_SIGNALLING, FaultKind.CUT_MEDIA, FaultKind.PAUSE, FaultKind.UNKNOWN_MESSAGE})
_LASTING = frozenset({FaultKind.PAUSE, FaultKind.LATE_START})


class BadFault(ValueError):
    """A fault that cannot be; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. `at_s` None for a timed one means at once."""

    kind: FaultKind
    status: int = Status.INTERNAL_EXCEPTION
    reason: str = "as the fault list asks"
    times: int = 1
    medium: Medium | None = None
    at_s: float | None = None
    for_s: float = 0.0

    def __post_init__(self) -> None:
        if self.kind in _LASTING and self.for_s <= 0:
            raise BadFault(f"{self.kind} needs a 'for_s' above 0")


def read_fault(value: Any) -> Fault:
    """A fault from its JSON object.

    Raises:
        BadFault: it is none.
    """
    if not isinstance(value, Mapping):
        raise BadFault("a fault is an object with a 'kind'")
    unknown = set(value) - set(_READERS)
    if unknown:
        raise BadFault(f"a fault has no {', '.join(sorted(map(str, unknown)))}")
    try:
        given: dict[str, Any] = {name: _READERS[name](item) for name, item in value.items() if item is not None}
        return Fault(**given)
    except (TypeError, ValueError) as error:
        raise BadFault(str(error)) from None


_READERS: dict[str, Callable[[Any], Any]] = {
    "kind": FaultKind, "status": int, "reason": str, "times": int, "medium": Medium, "at_s": float, "for_s": float,
}  # fmt: skip


def parse_fault(text: str) -> Fault:
    """A fault from a command line: `kind` or `kind:name=value,name=value`.

    Raises:
        BadFault: it is none.
    """
    kind, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",") if part]
    return read_fault({"kind": kind} | {name.strip(): value.strip() for name, _, value in pairs})


class Faults:
    """The faults of one meeting. Those at handshakes are used up, the others stay."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)

    def add(self, fault: Fault) -> None:
        """One more."""
        self._faults.append(fault)

    def take(self, kinds: Iterable[FaultKind], media: frozenset[Medium] = frozenset()) -> Fault | None:
        """The first fault of these kinds that concerns a handshake for `media`, used up by one."""
        wanted = _AT_HANDSHAKE.intersection(kinds)
        for index, fault in enumerate(self._faults):
            if fault.kind in wanted and (fault.medium is None or fault.medium in media):
                left = replace(fault, times=fault.times - 1)
                self._faults[index : index + 1] = [left] if left.times > 0 else []
                return fault
        return None

    def has(self, kind: FaultKind) -> bool:
        """Whether that habit is in force."""
        return any(fault.kind is kind for fault in self._faults)

    def timed(self) -> list[Fault]:
        """Those that happen at a time."""
        return [fault for fault in self._faults if fault.kind in _AT_A_TIME]

    def late_by_ms(self) -> int:
        """How long ago the stream started before anybody was told."""
        return round(1000 * sum(fault.for_s for fault in self._faults if fault.kind is FaultKind.LATE_START))
