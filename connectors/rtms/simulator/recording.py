"""A captured stream as a meeting: what Zoom sent is sent again, message for message, in the times between.

Only what Zoom said of itself is repeated: media, events, pauses. Handshakes, keep-alives and the end are spoken anew,
on the recording's clock, with the parameters that were agreed then. Nothing is skipped: what was due before the client
was ready comes at once. Of a line that is not whole, because the disk was full or the machine died, nothing is left.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.host.logs import get_logger
from connectors.rtms.protocol import messages, webhooks
from connectors.rtms.protocol.codes import (
    MEDIUM_OF_MESSAGE,
    EventType,
    Medium,
    MessageType,
    SessionState,
    StopReason,
    StreamState,
    known,
)
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.fields import first, integer, mapping, milliseconds
from connectors.rtms.protocol.frames import read_frame_plain
from connectors.rtms.protocol.parameters import EVERYTHING, WIRE_KEYS, MediaParameters
from connectors.rtms.protocol.texts import read_caption, read_chat
from connectors.rtms.simulator.film import Progress
from connectors.rtms.simulator.frames import AnyFrame, RecordedFrame
from connectors.rtms.simulator.meeting import Formats, Meeting
from connectors.rtms.simulator.people import Cast
from connectors.rtms.simulator.script import Script
from connectors.rtms.transport.capture import VERSION

log = get_logger(__name__)

_TAIL_MS = 200
"""How long the meeting goes on after its last message."""

_PAUSES = frozenset({StreamState.PAUSED, StreamState.RESUMED})
_SESSION_PAUSES = frozenset({SessionState.PAUSED, SessionState.RESUMED})


class BadRecording(ValueError):
    """A file that cannot be played; the text says why."""


@dataclass(slots=True)
class _Index:
    """Where in the file what lies: (time, offset of the line) by medium, and what was agreed."""

    lines: dict[Medium, list[tuple[int, int]]] = field(default_factory=lambda: {medium: [] for medium in Medium})
    agreed: MediaParameters = field(default_factory=MediaParameters)
    product: str = "meeting"
    stop_reason: StopReason = StopReason.MEETING_ENDED
    begin_ms: int = 0
    end_ms: int = 0
    lead_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedMeeting(Meeting):
    """See the module's docstring. Open it with `open_file`."""

    path: Path = Path()
    index: _Index = field(default_factory=_Index, repr=False)

    @classmethod
    def open_file(cls, path: Path) -> "RecordedMeeting":
        """The meeting in a file that `connectors.rtms.transport.capture` wrote.

        Raises:
            BadRecording: it is no such file, or holds no stream.
            OSError: it cannot be read.
        """
        index = _read_index(path)
        start_ms = index.begin_ms + (index.lead_ms or 0)
        script = Script(0, index.end_ms - index.begin_ms + _TAIL_MS, Cast(()), (), (), (), (), (), (), ())
        return cls(script, start_ms, Path(), path, index)

    def prepare(
        self, formats: Formats | None = None, progress: Progress | None = None, *, mid_group: bool = False
    ) -> None:
        """There is nothing to be made."""

    def of_medium(
        self, medium: Medium, formats: Formats | None = None, *, mid_group: bool = False
    ) -> Iterator[AnyFrame]:
        """The messages of one medium as they came, whatever was agreed since."""
        with self.path.open("rb") as file:
            for at_ms, offset in self.index.lines[medium]:
                file.seek(offset)
                line = json.loads(file.readline())
                yield _frame(medium, self.start_ms + at_ms - self.index.begin_ms, line)

    def agree(self, negotiated: MediaParameters) -> MediaParameters:
        """What was agreed then counts."""
        return negotiated.merged(self.index.agreed.only(frozenset(negotiated)))

    @property
    def offered(self) -> frozenset[Medium]:
        """The media that were streamed."""
        return frozenset(self.index.agreed)

    @property
    def stop_reason(self) -> StopReason:
        """Why it ended."""
        return self.index.stop_reason

    @property
    def is_recorded(self) -> bool:
        """Messages are played whole, whenever the client comes."""
        return True


def _read_index(path: Path) -> _Index:
    index = _Index()
    with path.open("rb") as file:
        _check_head(path, file.readline())
        offset = file.tell()
        for number, raw in enumerate(iter(file.readline, b""), start=2):
            line = _line_in(raw)
            try:
                if line is None:
                    log.warning("a line that is not whole is left out", file=str(path), line=number)
                else:
                    _take(index, int(line["at_ms"]), str(line["from"]), _message_in(line), offset)
            except (ValueError, KeyError, TypeError, OverflowError):
                raise BadRecording(f"{path}, line {number}: no message of a capture") from None
            offset = file.tell()
    if not index.begin_ms or not frozenset(index.agreed):
        raise BadRecording(f"{path}: there is no stream in it that came to media")
    return index


def _line_in(raw: bytes) -> Any:
    """What a line says; None for one that is not whole."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _check_head(path: Path, raw: bytes) -> None:
    try:
        version = _line_in(raw)["rtms_capture"]
    except (KeyError, TypeError):
        raise BadRecording(f"{path}: this is no capture; RTMS_ZOOM_CAPTURE_FOLDER makes them") from None
    if version != VERSION:
        raise BadRecording(f"{path}: a capture of version {version}; this program reads {VERSION}")


def _message_in(line: Mapping[str, Any]) -> bytes:
    return base64.b64decode(line["base64"]) if "base64" in line else str(line["text"]).encode()


def _take(index: _Index, at_ms: int, sender: str, raw: bytes, offset: int) -> None:
    """One more message of the file; a clock that was put back stands still until it is there again."""
    try:
        message = messages.decode(raw)
    except Unusable:
        return
    number = messages.message_type(message)
    index.begin_ms = index.begin_ms or at_ms
    index.end_ms = at_ms = max(at_ms, index.end_ms)
    if sender == "client":
        if number == MessageType.SIGNALING_HAND_SHAKE_REQ:
            index.product = webhooks.product_of_payload(
                {key: value for key, value in message.items() if key != "meeting_uuid"}
            )
        return
    medium = next((medium for kind, medium in MEDIUM_OF_MESSAGE.items() if kind == number), None)
    if medium is not None:
        index.lines[medium].append((at_ms, offset))
    elif number == MessageType.DATA_HAND_SHAKE_RESP:
        index.agreed = index.agreed.merged(_agreed(message))
    elif number == MessageType.KEEP_ALIVE_REQ:
        stamp = milliseconds(message.get("timestamp"))
        if stamp is not None:
            index.lead_ms = max(stamp - at_ms, index.lead_ms or stamp - at_ms)
    else:
        _take_news(index, at_ms, number, message, offset)


def _take_news(index: _Index, at_ms: int, number: int, message: Mapping[str, Any], offset: int) -> None:
    state = integer(message.get("state"))
    kind = integer(first(mapping(message.get("event")), "event_type"))
    if number == MessageType.STREAM_STATE_UPDATE and state == StreamState.TERMINATED:
        reason = known(StopReason, integer(first(message, "reason", "stop_reason")))
        index.stop_reason = reason or StopReason.MEETING_ENDED
    repeated = (
        (number == MessageType.EVENT_UPDATE and kind != EventType.FIRST_PACKET_TIMESTAMP)
        or (number == MessageType.STREAM_STATE_UPDATE and state in _PAUSES)
        or (number == MessageType.SESSION_STATE_UPDATE and state in _SESSION_PAUSES)
    )
    if repeated:
        index.lines[Medium.EVENTS].append((at_ms, offset))


def _agreed(message: Mapping[str, Any]) -> MediaParameters:
    given = mapping(message.get("media_params"))
    media = frozenset(medium for medium, key in WIRE_KEYS.items() if key in given)
    return EVERYTHING.only(media).from_wire(given)


def _frame(medium: Medium, due_ms: int, line: Mapping[str, Any]) -> RecordedFrame:
    raw = _message_in(line)
    timestamp_ms, user_id, user_name, payload = _content(medium, raw, due_ms)
    return RecordedFrame(
        medium=medium,
        due_ms=due_ms,
        timestamp_ms=timestamp_ms,
        user_id=user_id,
        user_name=user_name,
        message=raw,
        payload=payload,
        is_binary=line.get("binary") is True,
    )


def _content(medium: Medium, raw: bytes, due_ms: int) -> tuple[int, int, str | None, bytes]:
    """Time, participant, name and payload for the truth; of what cannot be read, the message itself."""
    try:
        message = messages.decode(raw)
        if medium is Medium.CAPTIONS:
            caption = read_caption(message)
            return caption.timestamp_ms, caption.user_id, caption.user_name, caption.text.encode()
        if medium is Medium.CHAT:
            chat = read_chat(message)
            return chat.timestamp_ms, chat.user_id, chat.user_name, chat.text.encode()
        if medium is Medium.EVENTS:
            return due_ms, 0, None, raw
        frame = read_frame_plain(message)
        return frame.timestamp_ms, frame.user_id, frame.user_name, frame.payload
    except Unusable:
        return due_ms, 0, None, raw
