"""Caption and chat messages into events. Rare compared with frames, so plain and as tolerant as documents differ."""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.rtms.protocol.codes import ChatOperation, TextAttribute, name_of
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.events import CaptionReceived, ChatReceived
from connectors.rtms.protocol.fields import code, first, integer, mapping, milliseconds, person_name, text
from connectors.rtms.protocol.frames import channel_id_of, user_id_of

_CHAT_DETAILS = ("chat_session", "receiver", "files", "delete_file_id_list")


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, so that equal values are equal texts.

    Raises:
        Unusable: `value` is nested deeper than can be written.
    """
    try:
        return msgspec.json.encode(value, order="deterministic").decode()
    except RecursionError:
        raise Unusable("nested_too_deep") from None


def read_caption(message: Mapping[str, Any]) -> CaptionReceived:
    """The caption in a decoded message 17; times are told apart by magnitude (documents disagree on the unit).

    Raises:
        Unusable: there is no time, or no text where none is deleted.
    """
    content = mapping(message.get("content"))
    words = content.get("data")
    attribute = integer(content.get("attribute")) or TextAttribute.NEW
    if not isinstance(words, str) and attribute != TextAttribute.DELETE:
        raise Unusable("no_text")
    stamp = milliseconds(content.get("timestamp"))
    start = milliseconds(content.get("start_time"))
    end = milliseconds(content.get("end_time"))
    begun = next((known for known in (start, stamp, end) if known is not None), None)
    if begun is None:
        raise Unusable("no_timestamp")
    return CaptionReceived(
        user_id=user_id_of(content),
        user_name=person_name(content.get("user_name")),
        timestamp_ms=begun if stamp is None else stamp,
        start_ms=begun,
        end_ms=max(begun, end or begun),
        language=code(content.get("language")),
        text=words if isinstance(words, str) else "",
        attribute=attribute,
        channel_id=channel_id_of(content),
    )


def read_chat(message: Mapping[str, Any]) -> ChatReceived:
    """The chat operation in a decoded message 18, from `content` or from a JSON document inside `content.data`.

    Raises:
        Unusable: there is no text or no time.
    """
    content = _chat_content(mapping(message.get("content")))
    words = content.get("data")
    stamp = milliseconds(content.get("timestamp"))
    operation = integer(content.get("operation_type")) or ChatOperation.NEW
    if not isinstance(words, str) and operation in (ChatOperation.NEW, ChatOperation.UPDATE):
        raise Unusable("no_text")
    if stamp is None:
        raise Unusable("no_timestamp")
    sender = mapping(first(content, "sender")) or content
    return ChatReceived(
        user_id=user_id_of(sender),
        user_name=person_name(sender.get("user_name")),
        timestamp_ms=stamp,
        message_id=text(content.get("message_id")) or "",
        parent_message_id=text(content.get("parent_message_id")),
        operation=name_of(ChatOperation, operation),
        text=words if isinstance(words, str) else "",
        details=canonical_json({name: content[name] for name in _CHAT_DETAILS if content.get(name) is not None}),
    )


def _chat_content(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """`content`, with the fields of a chat document in its `data` in front if there is one."""
    inner = content.get("data")
    if not isinstance(inner, str) or not inner.startswith("{"):
        return content
    try:
        document = msgspec.json.decode(inner)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return content
    if isinstance(document, dict) and ("operation_type" in document or "message_id" in document):
        return {**content, **document}
    return content
