"""The values of the webhooks' topics: who is told, what they are to be told, and what became of it.

Re-exported by `schemas.records`, where the values of all topics are found.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSubscription:
    """Who of a project is told what. `secrets_encrypted` sign, the newest first; two while receivers change over."""

    subscription_id: str
    project_id: str
    url: str
    triggers: tuple[str, ...]
    secrets_encrypted: tuple[str, ...]
    is_active: bool = True
    disabled_reason: str | None = None
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNotice:
    """Something that a receiver is to be told: `body` is the envelope as JSON, still without its sequence number.

    `delivery_id` is derived from the receiver and from what is told, so that what was written twice is told once. With
    `sequence` it is a delivery that is to be made again, as it was; its `body` is what was sent.
    """

    delivery_id: str
    session_id: str
    project_id: str
    subscription_id: str
    url: str
    trigger: str
    body: str
    sequence: int | None = None
    created_at_ms: int
    not_before_ms: int = 0


class DeliveryStatus(StrEnum):
    UNKNOWN = "unknown"
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One try: what was answered, or why nothing was. `excerpt` is the beginning of the answer."""

    at_ms: int
    status_code: int | None = None
    error: str | None = None
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """What became of a notice. `body` is what is sent and signed, `due_ms` when it is tried next.

    `sequence` counts within (session, subscription). `notice_offset` says up to where the notices of the partition have
    become deliveries.
    """

    delivery_id: str
    session_id: str
    project_id: str
    subscription_id: str
    url: str
    trigger: str
    sequence: int
    body: str
    status: DeliveryStatus
    attempts: tuple[DeliveryAttempt, ...] = ()
    due_ms: int
    created_at_ms: int
    notice_offset: int
