"""Audio, video and share messages into frames, as fast as Python can: this is where a worker spends its time.

Scanning base64 for its closing quote is what JSON decoders are slow at and `bytes.find` is fast at. So a large message
is cut: the payload goes straight to the base64 decoder, the few hundred bytes around it to a typed JSON decoder. The
cut is safe because `"data":"` cannot occur inside a JSON string (its quotes would be escaped); whatever looks unusual
takes the plain way, `read_frame_plain`, which is also what the fast way is tested against.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import pybase64

from connectors.rtms.protocol.codes import MEDIUM_OF_MESSAGE, Medium
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.events import FrameReceived
from connectors.rtms.protocol.fields import LONGEST_NAME, first, integer, milliseconds, person_name, text
from connectors.rtms.protocol.messages import message_type
from connectors.rtms.protocol.nal import is_key_frame

_CUT_FROM_BYTES = 2048
_HEADER_BYTES = 512
_MARK = b'"data":"'
_AUDIO = Medium.AUDIO
_LARGEST_ID = 2**32 - 1
_EARLIEST_MS = 10**11
_LATEST_MS = 10**14
_FRAMES: dict[int, Medium] = {number: medium for number, medium in MEDIUM_OF_MESSAGE.items() if number <= 16}


_Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]


class _Content(msgspec.Struct, gc=False):
    user_id: int = 0
    user_name: _Name | None = None
    channel_id: _Name | None = None
    timestamp: int = 0
    data: str | None = None


class _Message(msgspec.Struct, gc=False):
    msg_type: int
    content: _Content | None = None


_decode = msgspec.json.Decoder(_Message).decode
_b64decode = pybase64.b64decode


def read_frame(data: bytes) -> FrameReceived | None:
    """The frame in one WebSocket message, if it is an ordinary one; None: use `messages.decode` and go on from there.

    Never raises. A message this function declines may still be a frame, for `read_frame_plain` to judge.
    """
    try:
        if len(data) >= _CUT_FROM_BYTES and (start := data.find(_MARK, 0, _HEADER_BYTES)) >= 0:
            start += len(_MARK)
            end = data.find(b'"', start)
            if data.find(b'"data"', end) >= 0:  # a second one: which counts is for the plain way to say
                return None
            header = data[:start] + data[end:]
            content, medium = _read_header(header)
            if content is None or content.data != "":
                return None
            payload = _b64decode(memoryview(data)[start:end], None, True)
        else:
            content, medium = _read_header(data)
            if content is None or not content.data:
                return None
            payload = _b64decode(content.data, None, True)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not payload:
        return None
    key_frame = medium is not _AUDIO and is_key_frame(payload)
    return FrameReceived(
        medium, content.user_id, content.user_name, content.timestamp, payload, key_frame, content.channel_id
    )


def read_head(head: bytes) -> tuple[Medium | None, int]:
    """What frame begins so, and its timestamp; (None, 0) where the start does not tell."""
    start = head.find(_MARK, 0, _HEADER_BYTES)
    try:
        content, medium = (None, _AUDIO) if start < 0 else _read_header(head[: start + len(_MARK)] + b'"}}')
    except (msgspec.DecodeError, ValueError, RecursionError):
        content = None
    return (None, 0) if content is None else (medium, content.timestamp)


def _read_header(data: bytes) -> tuple[_Content | None, Medium]:
    """What surrounds the payload, None if anything about it is out of the ordinary.

    The typed decoder does not look at the encoding of what it skips, and a damaged key must not be skipped.
    """
    if not data.isascii():
        data.decode()
    message = _decode(data)
    medium = _FRAMES.get(message.msg_type)
    content = message.content
    if medium is None or content is None or not 0 <= content.user_id <= _LARGEST_ID:
        return None, _AUDIO
    if not _EARLIEST_MS < content.timestamp <= _LATEST_MS:
        return None, _AUDIO
    return content, medium


def read_frame_plain(message: Mapping[str, Any]) -> FrameReceived:
    """The frame in a decoded message 14, 15 or 16, whatever its shape.

    Some documents show `content` as the bare base64 text with the other fields beside it; that is read too.

    Raises:
        Unusable: something that a frame cannot do without is missing or malformed; `reason` says what.
    """
    medium = _FRAMES[message_type(message)]
    content = message.get("content")
    fields: Mapping[str, Any] = content if isinstance(content, dict) else message
    encoded = fields.get("data") if isinstance(content, dict) else content
    if not isinstance(encoded, str) or not encoded:
        raise Unusable("no_payload")
    stamp = milliseconds(fields.get("timestamp"))
    if stamp is None:
        raise Unusable("no_timestamp")
    return FrameReceived(
        medium=medium,
        user_id=user_id_of(fields),
        user_name=person_name(fields.get("user_name")),
        timestamp_ms=stamp,
        payload=(payload := _payload(encoded)),
        key_frame=medium is not _AUDIO and is_key_frame(payload),
        channel_id=channel_id_of(fields),
    )


def channel_id_of(fields: Mapping[str, Any]) -> str | None:
    """The channel that stands for a participant in Contact Center.

    Raises:
        Unusable: it is longer than an id can be.
    """
    channel_id = text(fields.get("channel_id"))
    if channel_id is not None and len(channel_id) > LONGEST_NAME:
        raise Unusable("bad_channel_id")
    return channel_id


def user_id_of(fields: Mapping[str, Any]) -> int:
    """Zoom's user id; 0 where there is none (mixed audio, Contact Center).

    Raises:
        Unusable: there is one, but it is no number a user can have.
    """
    given = first(fields, "user_id")
    number = 0 if given is None else integer(given)
    if number is None or number < 0:
        raise Unusable("bad_user_id")
    return number


def _payload(encoded: str) -> bytes:
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        payload = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Unusable("bad_base64") from None
    if not payload:
        raise Unusable("no_payload")
    return payload
