"""What a project asks about its webhooks, and how it is answered. Pure."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from api.app_sessions.session_webhooks import TRIGGERS
from api.json_schemas import conforms
from api.shapes import Check, Invalid, a_boolean, a_string, fields_of, shown
from connectors.webhooks.targets import TargetPolicy
from schemas.records import WebhookSubscription
from schemas.times import iso_utc

_TRIGGERS = conforms(TRIGGERS)

URL: dict[str, Any] = {
    "type": "string",
    "pattern": "^https://",
    "description": "A public https address. Redirects are not followed.",
}
CREATE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"url": URL, "triggers": TRIGGERS},
    "required": ["url", "triggers"],
    "additionalProperties": False,
}
CHANGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"url": URL, "triggers": TRIGGERS, "is_active": {"type": "boolean"}},
    "additionalProperties": False,
}
EXAMPLE = {"url": "https://example.com/hook", "triggers": ["bot.state_change", "transcript.update"]}


class WebhookDocument(TypedDict):
    """A subscription. `secrets` counts what signs its deliveries: two while receivers change over."""

    id: str
    url: str
    triggers: list[str]
    is_active: bool
    disabled_reason: str | None
    secrets: int
    created_at: str


class SecretWebhookDocument(WebhookDocument):
    """`secret` is shown this once. Decode it from base64 before use."""

    secret: str


class WebhookList(TypedDict):
    """All subscriptions of the project, oldest first."""

    results: list[WebhookDocument]


class PingDocument(TypedDict):
    """What was sent off; look its delivery up by this id."""

    delivery_id: str


def creation(body: Any, targets: TargetPolicy) -> dict[str, Any]:
    """`url` and `triggers`. Raises ApiError 400."""
    return fields_of(body, {"url": _url(targets), "triggers": _TRIGGERS}, required=["url", "triggers"])


def change(body: Any, targets: TargetPolicy) -> dict[str, Any]:
    """What is to be another. Raises ApiError 400."""
    checks: Mapping[str, Check] = {"url": _url(targets), "triggers": _TRIGGERS, "is_active": a_boolean}
    return fields_of(body, checks, required=())


def document(subscription: WebhookSubscription) -> WebhookDocument:
    """A subscription as it is answered; its secrets are not."""
    return {
        "id": subscription.subscription_id,
        "url": subscription.url,
        "triggers": list(subscription.triggers),
        "is_active": subscription.is_active,
        "disabled_reason": subscription.disabled_reason,
        "secrets": len(subscription.secrets_encrypted),
        "created_at": iso_utc(subscription.created_at_ms),
    }


def with_secret(subscription: WebhookSubscription, secret: str) -> SecretWebhookDocument:
    """A subscription with the secret that was just made."""
    return {**document(subscription), "secret": secret}


def _url(targets: TargetPolicy) -> Check:
    def check(value: Any) -> str:
        if not targets.permits_url(a_string(value)):
            raise Invalid(f"{shown(value)} is no https:// address without credentials in it")
        return str(value)

    return check
