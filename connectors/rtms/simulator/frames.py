"""What a meeting sends, one value a message, before anybody has negotiated how it looks on a wire.

`due_ms` is when Zoom sends it and `timestamp_ms` the Zoom time it carries, both Unix milliseconds: a chunk of audio is
due when it is complete, a caption some time after it was said.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.rtms.protocol.codes import EventType, Medium, TextAttribute


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all messages share; `user_id` 0 and no name where nobody in particular is meant."""

    medium: Medium
    due_ms: int
    timestamp_ms: int
    user_id: int = 0
    user_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFrame(Frame):
    """One chunk of 16-bit little-endian samples; its timestamp is that of the first sample."""

    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFrame(Frame):
    """One H.264 access unit or one still picture, of a camera or of a shared screen."""

    key_frame: bool
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFrame(Frame):
    """Some words, said from `start_ms` to `end_ms`; `language` is Zoom's number.

    `attribute` says whether they are new or what becomes of those that were said there; None: Zoom says nothing.
    """

    start_ms: int
    end_ms: int
    language: int
    text: str
    attribute: TextAttribute | None = None

    @property
    def payload(self) -> bytes:
        """The text's bytes."""
        return self.text.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFrame(Frame):
    """One operation in the chat to everybody; `operation` is Zoom's number."""

    operation: int
    message_id: str
    parent_message_id: str | None
    text: str

    @property
    def payload(self) -> bytes:
        """The text's bytes."""
        return self.text.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFrame(Frame):
    """Something that happened; `fields` are the event's own on the wire."""

    event_type: EventType
    fields: Mapping[str, Any]

    @property
    def payload(self) -> bytes:
        """The event's own fields as JSON with sorted keys."""
        return json.dumps(self.fields, sort_keys=True, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFrame(Frame):
    """A whole `message` as Zoom once sent it, in binary frames or in text; `payload` is what it carries."""

    message: bytes
    payload: bytes
    is_binary: bool


AnyFrame = AudioFrame | PictureFrame | CaptionFrame | ChatFrame | EventFrame | RecordedFrame
