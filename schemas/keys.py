"""What stands in the key of a record: whose it is, and on topics where single records can be replaced, which it is."""

from typing import TypeVar

from schemas.codec import Undecodable
from schemas.records import (
    ApiKey,
    ApiKeyUse,
    Claim,
    Credential,
    DeadLetter,
    Project,
    Record,
    Template,
    WebhookSubscription,
    ZoomApp,
)

_Record = TypeVar("_Record", bound=Record)

ITEM_SEPARATOR = "|"

MAX_KEY_BYTES = 512
"""A longer key names nothing of ours; what is derived from it (names, states, letters) would fit nowhere."""

FOREIGN_KEY = "under the key of something else"
"""The reason why a record is refused whose key does not name what its value is about."""

LONG_KEY = "under a key that is too long"


def item_key(session_id: str, item_id: str) -> bytes:
    """The key of one item of a session."""
    return f"{session_id}{ITEM_SEPARATOR}{item_id}".encode()


def objects_folder(session_id: str) -> str:
    """Where everything lies that object storage holds of a session."""
    return f"sessions/{session_id}"


def session_of_object(key: str) -> str | None:
    """The session in whose folder an object lies."""
    top, _, rest = key.partition("/")
    session_id, _, name = rest.partition("/")
    return session_id if top == "sessions" and name else None


def session_of(key: bytes | None) -> str | None:
    """The session that a key names, as far as that can be told."""
    if key is None or len(key) > MAX_KEY_BYTES:
        return None
    return key.decode(errors="replace").partition(ITEM_SEPARATOR)[0] or None


def keyed(key: bytes | None, record: _Record) -> _Record:
    """The record, if `key` names what it is about. Raises Undecodable."""
    if len(key or b"") > MAX_KEY_BYTES:
        raise Undecodable(LONG_KEY)
    if not names(key, record):
        raise Undecodable(FOREIGN_KEY)
    return record


def names(key: bytes | None, record: Record) -> bool:
    """Whether `key` names what `record` is about. A partition, compaction and deletion go by the key, readers by the
    value: a record in which they differ is nobody's.
    """
    match record:
        case Project() | Claim() | Template():
            return key == record.project_id.encode()
        case ApiKey() | ApiKeyUse():
            return key == record.key_id.encode()
        case ZoomApp():
            return key == record.zoom_app_id.encode()
        case Credential():
            return key == record.credential_id.encode()
        case WebhookSubscription():
            return key == record.subscription_id.encode()
        case DeadLetter():
            return True
        case _:
            session_id = record.session_id.encode()
            return key == session_id or (key or b"").startswith(session_id + ITEM_SEPARATOR.encode())
