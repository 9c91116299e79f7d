"""Deliveries: what to read of them, and how clients see them. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec
from typing_extensions import TypedDict

from api.pages import PAGE_SIZE, Cursor, Key
from api.shapes import Check, a_string, fields_of
from schemas.deletion import NO_BODY
from schemas.records import DeliveryStatus, WebhookDelivery, WebhookNotice
from schemas.row_documents import delivery_in
from schemas.times import iso_utc

STATUSES = tuple(str(status) for status in DeliveryStatus if status is not DeliveryStatus.UNKNOWN)

_QUERY = """
SELECT document FROM webhook_deliveries
WHERE project_id = {{project_id:String}}
  AND (created_at_ms, delivery_id) {comparison} ({{time_ms:Int64}}, {{delivery_id:String}})
  AND ({{session_id:String}} = '' OR session_id = {{session_id:String}})
  AND ({{webhook_id:String}} = '' OR subscription_id = {{webhook_id:String}})
  AND ({{status:String}} = '' OR status = {{status:String}})
  AND created_at_ms >= {{after_ms:Int64}} AND created_at_ms < {{before_ms:Int64}}
ORDER BY created_at_ms {order}, delivery_id {order}
LIMIT {{read:UInt32}}
"""

ONE = "SELECT document FROM webhook_deliveries WHERE project_id = {project_id:String} AND delivery_id = {id:String}"

REPLAY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "after": {"type": "string", "format": "date-time", "description": "from this time on"},
        "before": {"type": "string", "format": "date-time", "description": "up to, not including, this time"},
        "webhook_id": {"type": "string", "description": "only of this subscription"},
        "status": {"enum": list(STATUSES), "description": "only with this status"},
    },
    "required": ["after", "before"],
    "additionalProperties": False,
}


class AttemptDocument(TypedDict):
    """One try: `status_code` of the answer, or `error`; `response` is the beginning of the answer."""

    at: str
    status_code: int | None
    error: str | None
    response: str


class DeliveryDocument(TypedDict):
    """What became of telling one receiver of one thing. `sequence` counts within session and webhook."""

    id: str
    app_session_id: str
    webhook_id: str
    url: str
    trigger: str
    sequence: int
    status: str
    attempts: list[AttemptDocument]
    next_attempt_at: str | None
    created_at: str
    payload: dict[str, Any]


class DeliveryPage(TypedDict):
    """One page of deliveries, ascending in time."""

    next: str | None
    previous: str | None
    results: list[DeliveryDocument]


class ReplayDocument(TypedDict):
    """How many deliveries are being made again."""

    replayed: int


def query(project_id: str, asked: Mapping[str, Any], cursor: Cursor, read: int = PAGE_SIZE + 1) -> tuple[str, Any]:
    """The statement and its parameters; `asked` has session_id, webhook_id, status, after_ms and before_ms."""
    sql = _QUERY.format(comparison="<" if cursor.backwards else ">", order="DESC" if cursor.backwards else "ASC")
    return sql, {
        "project_id": project_id,
        "time_ms": cursor.key.time_ms,
        "delivery_id": cursor.key.item_id,
        **asked,
        "read": read,
    }


def delivery_of(row: Mapping[str, Any]) -> WebhookDelivery:
    """The delivery in a row."""
    return delivery_in(row["document"])


def key_of(delivery: WebhookDelivery) -> Key:
    """Where a delivery stands in lists."""
    return Key(delivery.created_at_ms, delivery.delivery_id)


def document(delivery: WebhookDelivery) -> DeliveryDocument:
    """A delivery as clients see it."""
    is_pending = delivery.status is DeliveryStatus.PENDING
    return {
        "id": delivery.delivery_id,
        "app_session_id": delivery.session_id,
        "webhook_id": delivery.subscription_id,
        "url": delivery.url,
        "trigger": delivery.trigger,
        "sequence": delivery.sequence,
        "status": str(delivery.status),
        "attempts": [
            {"at": iso_utc(a.at_ms), "status_code": a.status_code, "error": a.error, "response": a.excerpt}
            for a in delivery.attempts
        ],
        "next_attempt_at": iso_utc(delivery.due_ms) if is_pending else None,
        "created_at": iso_utc(delivery.created_at_ms),
        "payload": msgspec.json.decode(delivery.body),
    }


def is_emptied(delivery: WebhookDelivery) -> bool:
    """Whether what it told is deleted, so that there is nothing to be told again."""
    return delivery.body == NO_BODY


def again(delivery: WebhookDelivery, now_ms: int) -> WebhookNotice:
    """What has a delivery made again, as it was: same body, same idempotency key, same sequence."""
    return WebhookNotice(
        delivery_id=delivery.delivery_id,
        session_id=delivery.session_id,
        project_id=delivery.project_id,
        subscription_id=delivery.subscription_id,
        url=delivery.url,
        trigger=delivery.trigger,
        body=delivery.body,
        sequence=delivery.sequence,
        created_at_ms=delivery.created_at_ms,
        not_before_ms=now_ms,
    )


def replay(body: Any) -> dict[str, str]:
    """The range and the filters of a replay. Raises ApiError 400."""
    checks: Mapping[str, Check] = dict.fromkeys(("after", "before", "webhook_id", "status"), a_string)
    return fields_of(body, checks, required=["after", "before"])
