"""Every JSON message of the protocol's first version, built for either side; `decode` reads one back.

Builders return the bytes that go into one WebSocket message. Client and simulator share them, so that their names and
shapes cannot drift apart; wire examples taken from Zoom's documents keep both honest in the tests. Media data is read
by `frames` and `texts`, everything else field by field by whoever needs it, with the readers of `fields`.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.rtms.protocol import codes
from connectors.rtms.protocol.codes import MessageType, Status
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.fields import first, integer, text

PROTOCOL_VERSION = 1

ID_FIELDS = {
    codes.MEETING: "meeting_uuid",
    codes.WEBINAR: "webinar_uuid",
    codes.VIDEO_SDK: "session_id",
    codes.CONTACT_CENTER: "engagement_id",
    codes.PHONE: "call_id",
}
"""The product and the key of its id."""

MAX_VALUES = 100_000
"""In one message: somebody's name and id for each of 30,000. A value takes many times more memory than letters."""

_BEFORE_VALUES = (",", "[", "{")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """Which stream of which meeting, and the signature that opens it."""

    product: str
    meeting_id: str
    stream_id: str
    signature: str = field(repr=False)

    def to_wire(self) -> dict[str, Any]:
        """The identifying fields of messages 1 and 3.

        Zoom documents one id key per product while its own library says `meeting_uuid` for all of them; servers
        ignore keys they do not know, so both are sent.
        """
        named = {"meeting_uuid": self.meeting_id, ID_FIELDS[self.product]: self.meeting_id}
        return named | {"rtms_stream_id": self.stream_id, "signature": self.signature}


def decode(data: bytes | bytearray | str) -> dict[str, Any]:
    """One message as a dictionary.

    Raises:
        Unusable: it is no JSON object, has no usable `msg_type` or too many values; the reason says which.
    """
    if len(data) > MAX_VALUES and _values_at_most(data) > MAX_VALUES:
        raise Unusable("too_many_values")
    try:
        message = _decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):  # ValueError: text that is not Unicode
        raise Unusable("not_a_json_object") from None
    if integer(message.get("msg_type")) is None:
        raise Unusable("no_message_type")
    return message


def _values_at_most(data: bytes | bytearray | str) -> int:
    """How many values there can be, told without reading them: none follows another without one of these."""
    if isinstance(data, str):
        return sum(data.count(mark) for mark in _BEFORE_VALUES)
    return sum(data.count(mark.encode()) for mark in _BEFORE_VALUES)


def message_type(message: Mapping[str, Any]) -> int:
    """The number of a decoded message."""
    return integer(message.get("msg_type")) or 0


def meeting_id_of(message: Mapping[str, Any], product: str = codes.MEETING) -> str | None:
    """The id in a handshake request or webhook payload: under the product's key, else under another one's."""
    return text(first(message, ID_FIELDS[product], *ID_FIELDS.values()))


def _build(msg_type: MessageType, fields: Mapping[str, Any]) -> bytes:
    return _encode({"msg_type": int(msg_type), **fields})


# --- what a client says ---------------------------------------------------------------------------------------------


def signaling_handshake_request(identity: StreamIdentity, *, sequence: int = 1, buffer_data: bool = True) -> bytes:
    """Message 1. `buffer_data=False` makes Zoom drop the audio that it buffered before this connection."""
    head = {"protocol_version": PROTOCOL_VERSION, "sequence": sequence}
    return _build(MessageType.SIGNALING_HAND_SHAKE_REQ, head | identity.to_wire() | {"buffer_data": buffer_data})


def media_handshake_request(
    identity: StreamIdentity, *, media_type: int, media_params: Mapping[str, Any], sequence: int = 1
) -> bytes:
    """Message 3; `media_type` is a mask of `codes.MediaType`, `media_params` comes from `parameters`."""
    head = {"protocol_version": PROTOCOL_VERSION, "sequence": sequence}
    asked = {"media_type": int(media_type), "payload_encryption": False, "media_params": media_params}
    return _build(MessageType.DATA_HAND_SHAKE_REQ, head | identity.to_wire() | asked)


def event_subscription(event_types: Iterable[int], *, subscribe: bool = True) -> bytes:
    """Message 5. Events 1 and 7 come by themselves and must not be in it."""
    events = [{"event_type": int(number), "subscribe": subscribe} for number in event_types]
    return _build(MessageType.EVENT_SUBSCRIPTION, {"events": events})


def client_ready_ack(stream_id: str) -> bytes:
    """Message 7; goes to the signalling socket once media handshakes are accepted."""
    return _build(MessageType.CLIENT_READY_ACK, {"rtms_stream_id": stream_id})


def keep_alive_response(request: Mapping[str, Any]) -> bytes:
    """Message 13 for a decoded 12: its timestamp and, where it has one, its sequence come back unchanged."""
    numbers = {name: integer(request.get(name)) for name in ("timestamp", "sequence")}
    return _build(MessageType.KEEP_ALIVE_RESP, {name: n for name, n in numbers.items() if n is not None})


def stream_state_request(stream_id: str) -> bytes:
    """Message 19."""
    return _build(MessageType.STREAM_STATE_REQ, {"rtms_stream_id": stream_id})


def session_state_request(session_id: str) -> bytes:
    """Message 10; `session_id` is Zoom's `rtms_session_id`."""
    return _build(MessageType.SESSION_STATE_REQ, {"rtms_session_id": session_id})


def stream_close_request(stream_id: str) -> bytes:
    """Message 21: asks Zoom to end the stream for good."""
    return _build(MessageType.STREAM_CLOSE_REQ, {"rtms_stream_id": stream_id})


def video_subscription_request(user_id: int, *, subscribe: bool, timestamp_ms: int) -> bytes:
    """Message 28: whose camera to send, where video was negotiated as individual."""
    fields = {"user_id": user_id, "subscribe": subscribe, "timestamp": timestamp_ms}
    return _build(MessageType.VIDEO_SUBSCRIPTION_REQ, fields)


# --- what Zoom says (for the simulator and the tests) ---------------------------------------------------------------


def signaling_handshake_response(
    *, status: int = Status.OK, reason: str = "", server_urls: Mapping[str, str] | None = None, sequence: int = 0
) -> bytes:
    """Message 2; `server_urls` has one entry per offered medium (`audio` … `chat`) and `all`."""
    fields: dict[str, Any] = {
        "protocol_version": PROTOCOL_VERSION,
        "sequence": sequence,
        "status_code": int(status),
        "reason": reason,
    }
    if server_urls is not None:
        fields["media_server"] = {"server_urls": dict(server_urls)}
    return _build(MessageType.SIGNALING_HAND_SHAKE_RESP, fields)


def media_handshake_response(
    *, status: int = Status.OK, reason: str = "", media_params: Mapping[str, Any] | None = None, sequence: int = 0
) -> bytes:
    """Message 4 with the agreed `media_params`."""
    fields: dict[str, Any] = {
        "protocol_version": PROTOCOL_VERSION,
        "sequence": sequence,
        "status_code": int(status),
        "reason": reason,
        "payload_encrypted": False,
    }
    if media_params is not None:
        fields["media_params"] = media_params
    return _build(MessageType.DATA_HAND_SHAKE_RESP, fields)


def event_update(event_type: int, timestamp_ms: int, fields: Mapping[str, Any] | None = None) -> bytes:
    """Message 6; `fields` are the event's own (`user_id`, `participants`, …)."""
    event = {"event_type": int(event_type), "timestamp": timestamp_ms, **(fields or {})}
    return _build(MessageType.EVENT_UPDATE, {"event": event})


def participants(people: Iterable[tuple[int, str | None]]) -> dict[str, Any]:
    """The fields of events 3, 4, 8 and 9; a name of None is left out, as Zoom does on 4, 8 and 9."""
    listed = [{"user_id": uid} if name is None else {"user_id": uid, "user_name": name} for uid, name in people]
    return {"participants": listed}


def stream_state_update(state: int, timestamp_ms: int, *, reason: int = 0) -> bytes:
    """Message 8."""
    fields = {"state": int(state), "reason": int(reason), "timestamp": timestamp_ms}
    return _build(MessageType.STREAM_STATE_UPDATE, fields)


def session_state_update(session_id: str, state: int, timestamp_ms: int, *, reason: int = 0) -> bytes:
    """Message 9, with the reason under both names that Zoom's documents give it."""
    reasons = {"stop_reason": int(reason), "reason": int(reason)}
    fields = {"rtms_session_id": session_id, "state": int(state), "timestamp": timestamp_ms}
    return _build(MessageType.SESSION_STATE_UPDATE, fields | reasons)


def session_state_response(session_id: str, state: int, timestamp_ms: int) -> bytes:
    """Message 11."""
    fields = {"rtms_session_id": session_id, "state": int(state), "timestamp": timestamp_ms}
    return _build(MessageType.SESSION_STATE_RESP, fields)


def stream_state_response(stream_id: str, state: int, timestamp_ms: int) -> bytes:
    """Message 20."""
    fields = {"rtms_stream_id": stream_id, "state": int(state), "timestamp": timestamp_ms}
    return _build(MessageType.STREAM_STATE_RESP, fields)


def keep_alive_request(timestamp_ms: int, sequence: int | None) -> bytes:
    """Message 12; `sequence` None leaves it out, as Zoom's documents do and its servers do not."""
    fields = {"timestamp": timestamp_ms} if sequence is None else {"timestamp": timestamp_ms, "sequence": sequence}
    return _build(MessageType.KEEP_ALIVE_REQ, fields)


def stream_close_response(stream_id: str, timestamp_ms: int, *, status: int = Status.OK, reason: str = "OK") -> bytes:
    """Message 22."""
    fields = {"rtms_stream_id": stream_id, "status_code": int(status), "reason": reason, "timestamp": timestamp_ms}
    return _build(MessageType.STREAM_CLOSE_RESP, fields)


def video_subscription_response(
    user_id: int, timestamp_ms: int, *, status: int = Status.OK, reason: str = "OK"
) -> bytes:
    """Message 29."""
    fields = {"user_id": user_id, "status_code": int(status), "reason": reason, "timestamp": timestamp_ms}
    return _build(MessageType.VIDEO_SUBSCRIPTION_RESP, fields)


def media_data(
    msg_type: MessageType, *, user_id: int, user_name: str | None, timestamp_ms: int, payload: bytes
) -> bytes:
    """Messages 14, 15 and 16; `user_name` None leaves the name out, as in mixed audio."""
    content: dict[str, Any] = {"user_id": user_id}
    if user_name is not None:
        content["user_name"] = user_name
    data = base64.b64encode(payload).decode()
    content |= {"timestamp": timestamp_ms, "length": len(payload), "data": data}
    return _build(msg_type, {"content": content})


def transcript_data(content: Mapping[str, Any]) -> bytes:
    """Message 17: user_id, user_name, timestamp, start_time, end_time, language and data (the text)."""
    return _build(MessageType.MEDIA_DATA_TRANSCRIPT, {"content": content})


def chat_data(content: Mapping[str, Any]) -> bytes:
    """Message 18: message_id, operation_type, chat_session, sender, receiver, timestamp and data (the text)."""
    return _build(MessageType.MEDIA_DATA_CHAT, {"content": content})
