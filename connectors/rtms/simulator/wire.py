"""The meeting's frames as messages of the protocol, with the variations that real servers are suspected of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import EventType, Medium, MessageType
from connectors.rtms.simulator import callcenter
from connectors.rtms.simulator.frames import AnyFrame, CaptionFrame, ChatFrame, EventFrame, RecordedFrame

_EVERYONE = 1
_ID_KEYS = frozenset({"user_id"})


@dataclass(frozen=True, slots=True)
class Manner:
    """How a stream writes: the variations, and whether participants are `channels`, as in Contact Center."""

    string_ids: bool = False
    captions_in_us: bool = False
    channels: bool = False


def write_frame(frame: AnyFrame, manner: Manner = Manner()) -> bytes:
    """One WebSocket message for one frame."""
    if isinstance(frame, RecordedFrame):
        return frame.message
    data = _write(frame, 1000 if manner.captions_in_us else 1)
    if manner.channels:
        return msgspec.json.encode(callcenter.with_channels(msgspec.json.decode(data)))
    return _mannered(data, manner)


def was_binary(frame: AnyFrame) -> bool:
    """Whether it is of a capture, in which it came in binary frames."""
    return isinstance(frame, RecordedFrame) and frame.is_binary


def write_event(event_type: EventType, timestamp_ms: int, fields: Mapping[str, Any], manner: Manner) -> bytes:
    """Message 6 about something that is no frame of the meeting."""
    return _mannered(messages.event_update(event_type, timestamp_ms, fields), manner)


def _mannered(data: bytes, manner: Manner) -> bytes:
    return msgspec.json.encode(_with_string_ids(msgspec.json.decode(data))) if manner.string_ids else data


def _write(frame: AnyFrame, caption_factor: int) -> bytes:
    if isinstance(frame, CaptionFrame):
        return messages.transcript_data(_caption(frame, caption_factor))
    if isinstance(frame, ChatFrame):
        return messages.chat_data(_chat(frame))
    if isinstance(frame, EventFrame):
        return messages.event_update(frame.event_type, frame.timestamp_ms, frame.fields)
    assert not isinstance(frame, RecordedFrame)
    return messages.media_data(
        _message_type(frame.medium),
        user_id=frame.user_id,
        user_name=frame.user_name,
        timestamp_ms=frame.timestamp_ms,
        payload=frame.payload,
    )


def _message_type(medium: Medium) -> MessageType:
    kinds = {
        Medium.AUDIO: MessageType.MEDIA_DATA_AUDIO,
        Medium.VIDEO: MessageType.MEDIA_DATA_VIDEO,
        Medium.SHARE: MessageType.MEDIA_DATA_SHARE,
    }
    return kinds[medium]


def _caption(frame: CaptionFrame, factor: int) -> Mapping[str, Any]:
    attribute = {} if frame.attribute is None else {"attribute": int(frame.attribute)}
    return attribute | {
        "user_id": frame.user_id,
        "user_name": frame.user_name,
        "start_time": frame.start_ms * factor,
        "end_time": frame.end_ms * factor,
        "timestamp": frame.timestamp_ms * factor,
        "language": frame.language,
        "data": frame.text,
    }


def _chat(frame: ChatFrame) -> Mapping[str, Any]:
    content = {
        "chat_session": {"type": _EVERYONE},
        "operation_type": frame.operation,
        "message_id": frame.message_id,
        "sender": {"user_id": frame.user_id, "user_name": frame.user_name},
        "receiver": None,
        "files": [],
        "delete_file_id_list": [],
        "data": frame.text,
        "timestamp": frame.timestamp_ms,
    }
    return content if frame.parent_message_id is None else content | {"parent_message_id": frame.parent_message_id}


def _with_string_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_string_ids(item) for item in value]
    if isinstance(value, dict):
        return {k: str(v) if k in _ID_KEYS and v is not None else _with_string_ids(v) for k, v in value.items()}
    return value
