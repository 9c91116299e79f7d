"""What a chat record says besides who wrote it when: what has a known shape, and no more than a message can be."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from schemas import ids
from schemas.records import Chat

MAX_TEXT_CHARACTERS = 16_384
MAX_ID_CHARACTERS = 256
MAX_DETAILS_CHARACTERS = 16_384
"""Several times what Zoom's clients let anybody write. A longer text or id is cut, longer details are left out."""

_EVERYONE_TYPES = (1, "1")

_Number = Annotated[int, Meta(ge=-(2**53), le=2**53)]
_Id = _Number | str | None


class _ChatSession(Struct, frozen=True, omit_defaults=True):
    type: _Id = None
    id: _Id = None


class _Receiver(Struct, frozen=True, omit_defaults=True):
    user_id: _Id = None
    user_name: str | None = None


class _File(Struct, frozen=True, omit_defaults=True):
    file_id: _Id = None
    file_name: str | None = None
    file_size: _Id = None


class _Told(Struct, frozen=True, omit_defaults=True):
    """Zoom's own fields of a message, by Zoom's names."""

    chat_session: _ChatSession | None = None
    receiver: _Receiver | None = None
    files: list[_File] | None = None


_decode = msgspec.json.Decoder(_Told).decode


def text_of(record: Chat) -> str:
    """The words."""
    return record.text[:MAX_TEXT_CHARACTERS]


def additional_of(record: Chat) -> dict[str, Any]:
    """See `ChatDetails.additional`."""
    additional: dict[str, Any] = {}
    if record.message_id:
        additional["message_id"] = record.message_id[:MAX_ID_CHARACTERS]
    if record.parent_message_id:
        additional["parent_id"] = ids.chat_message_id(record.session_id, record.parent_message_id)
    if len(record.text) > MAX_TEXT_CHARACTERS:
        additional["length"] = len(record.text)
    told = _told(record.details)
    if told is not None and len(record.details) <= MAX_DETAILS_CHARACTERS:
        additional |= msgspec.to_builtins(told)
    return additional


def is_private(record: Chat) -> bool:
    """Older documents know no other chat than everybody's; what cannot be understood is taken for private."""
    told = _told(record.details)
    if told is None:
        return True
    return told.chat_session is not None and told.chat_session.type not in _EVERYONE_TYPES


def _told(details: str) -> _Told | None:
    """None for what has another shape than any document names."""
    try:
        return _decode(details)
    except (ValueError, RecursionError):
        return None
