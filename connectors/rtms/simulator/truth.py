"""The ground truth of a simulated stream: what was really handed to a socket, to compare everything else with.

Per medium and participant: how many frames and bytes, the SHA-256 over the payloads in the order of sending, the first
and last timestamp. Beside it what was meant: turns with their words, flashes, beeps, captions, chat, events, and the
story of every connection and webhook. `complaints` lists what the client did that Zoom's documents do not allow.
"""

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

from connectors.rtms.protocol.codes import Medium, TextAttribute
from connectors.rtms.simulator.frames import AnyFrame, AudioFrame, CaptionFrame, ChatFrame, EventFrame
from connectors.rtms.simulator.meeting import Meeting
from connectors.rtms.simulator.sent import SentFrames

_MAX_COMPLAINTS = 200


class Track:
    """What was sent of one medium of one participant."""

    def __init__(self, user_id: int, user_name: str | None) -> None:
        self.user_id = user_id
        self.user_name = user_name
        self.frames = 0
        self.bytes = 0
        self.audio_ms = 0
        self.first_timestamp_ms: int | None = None
        self.last_timestamp_ms: int | None = None
        self._digest = hashlib.sha256()

    def add(self, timestamp_ms: int, payload: bytes, audio_ms: int) -> None:
        """One more frame."""
        self.frames += 1
        self.bytes += len(payload)
        self.audio_ms += audio_ms
        self.first_timestamp_ms = timestamp_ms if self.first_timestamp_ms is None else self.first_timestamp_ms
        self.last_timestamp_ms = timestamp_ms
        self._digest.update(payload)

    def to_json(self) -> dict[str, Any]:
        """Everything known of it."""
        return {
            "user_id": self.user_id,
            "user_name": self.user_name,
            "frames": self.frames,
            "bytes": self.bytes,
            "audio_seconds": self.audio_ms / 1000,
            "first_timestamp_ms": self.first_timestamp_ms,
            "last_timestamp_ms": self.last_timestamp_ms,
            "sha256": self._digest.hexdigest(),
        }


@dataclass(slots=True)
class ConnectionStory:
    """One WebSocket connection from handshake to end; `media` is empty for signalling."""

    kind: str
    media: list[str]
    opened_ms: int
    status: int = 0
    ready_ms: int | None = None
    closed_ms: int | None = None
    ended_by: str | None = None
    frames: int = 0


@dataclass(slots=True)
class Truth:
    """Collects while the stream runs; `to_json` may be called at any time."""

    meeting: Meeting
    tracks: dict[tuple[Medium, int], Track] = field(default_factory=dict)
    sent: SentFrames = field(default_factory=SentFrames)
    captions: list[dict[str, Any]] = field(default_factory=list)
    chat: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    connections: list[ConnectionStory] = field(default_factory=list)
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def frame_sent(self, frame: AnyFrame, send_rate_ms: int) -> None:
        """A frame was handed to a socket on which audio, if any, has chunks of that length."""
        track = self.tracks.get((frame.medium, frame.user_id))
        if track is None:
            track = self.tracks[frame.medium, frame.user_id] = Track(frame.user_id, frame.user_name)
        audio_ms = send_rate_ms if isinstance(frame, AudioFrame) else 0
        payload = frame.payload
        track.add(frame.timestamp_ms, payload, audio_ms)
        self.sent.add(frame.medium, frame.user_id, frame.timestamp_ms, payload)
        if isinstance(frame, CaptionFrame):
            self.captions.append(_caption(frame))
        elif isinstance(frame, ChatFrame):
            self.chat.append(_chat(frame))
        elif isinstance(frame, EventFrame):
            self.event_sent(frame.event_type, frame.timestamp_ms, dict(frame.fields))

    def event_sent(self, event_type: int, timestamp_ms: int, fields: dict[str, Any]) -> None:
        """A message 6 was handed to the signalling socket."""
        self.events.append({"event_type": int(event_type), "timestamp_ms": timestamp_ms, **fields})

    def state_sent(self, kind: str, state: int, reason: int, timestamp_ms: int) -> None:
        """A message 8 (`stream`) or 9 (`session`) was handed to the signalling socket."""
        self.states.append({"kind": kind, "state": int(state), "reason": int(reason), "timestamp_ms": timestamp_ms})

    def complain(self, text: str) -> None:
        """The client did something that it must not do."""
        if len(self.complaints) < _MAX_COMPLAINTS:
            self.complaints.append(text)

    def media_json(self) -> dict[str, Any]:
        """What was sent, medium by medium."""
        return {medium.value: self._medium_json(medium) for medium in Medium}

    def _medium_json(self, medium: Medium) -> dict[str, Any]:
        tracks = [track for (its, _), track in sorted(self.tracks.items()) if its is medium]
        firsts = [track.first_timestamp_ms for track in tracks if track.first_timestamp_ms is not None]
        lasts = [track.last_timestamp_ms for track in tracks if track.last_timestamp_ms is not None]
        return {
            "frames": sum(track.frames for track in tracks),
            "bytes": sum(track.bytes for track in tracks),
            "audio_seconds": sum(track.audio_ms for track in tracks) / 1000,
            "first_timestamp_ms": min(firsts, default=None),
            "last_timestamp_ms": max(lasts, default=None),
            "tracks": [track.to_json() for track in tracks],
        }

    def to_json(self) -> dict[str, Any]:
        """The whole truth so far."""
        pictures = {sent.timestamp_ms for sent in self.sent if sent.medium is Medium.VIDEO}
        return {
            "seed": self.meeting.script.seed,
            "start_ms": self.meeting.start_ms,
            "end_ms": self.meeting.end_ms,
            "participants": [asdict(person) for person in self.meeting.participants],
            "turns": [asdict(turn) for turn in self.meeting.turns],
            "flashes": [stamp for stamp in self.meeting.flashes if stamp in pictures],
            "beeps": list(self.meeting.beeps),
            "media": self.media_json(),
            "captions": self.captions,
            "chat": self.chat,
            "events": self.events,
            "states": self.states,
            "connections": [asdict(story) for story in self.connections],
            "webhooks": self.webhooks,
            "complaints": self.complaints,
        }

    def frames_json(self) -> list[dict[str, Any]]:
        """Every frame sent, in the order of sending."""
        return [asdict(sent) for sent in self.sent]


def _caption(frame: CaptionFrame) -> dict[str, Any]:
    attribute = TextAttribute.NEW if frame.attribute is None else frame.attribute
    return {
        "user_id": frame.user_id,
        "user_name": frame.user_name,
        "start_ms": frame.start_ms,
        "end_ms": frame.end_ms,
        "language": frame.language,
        "text": frame.text,
        "operation": attribute.name.lower(),
    }


def _chat(frame: ChatFrame) -> dict[str, Any]:
    return {
        "user_id": frame.user_id,
        "user_name": frame.user_name,
        "timestamp_ms": frame.timestamp_ms,
        "operation": frame.operation,
        "message_id": frame.message_id,
        "parent_message_id": frame.parent_message_id,
        "text": frame.text,
    }
