"""`webhooks`: whom a session tells besides, or rather instead of, those that its project tells. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from api.errors import refused
from api.json_schemas import closed, conforms
from api.shapes import Check, Invalid, shown
from connectors.webhooks.targets import TargetPolicy
from schemas.triggers import Trigger

MOST = 2

TRIGGERS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "enum": [str(trigger) for trigger in Trigger]},
    "minItems": 1,
    "uniqueItems": True,
}

SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": f"Up to {MOST} receivers of this session alone. With any of them the project's own are not told.",
    "items": closed(
        {"url": {"type": "string", "pattern": "^https://"}, "triggers": TRIGGERS}, required=("url", "triggers")
    ),
}
"""Of the field, for the OpenAPI document."""

session_webhooks = conforms(SCHEMA)

_PLAIN_TOO = conforms(
    SCHEMA
    | {
        "items": closed(
            {"url": {"type": "string", "pattern": "^https?://"}, "triggers": TRIGGERS}, required=("url", "triggers")
        )
    }
)


def shape_at(targets: TargetPolicy) -> Check:
    """A check of the form alone, for what was judged when it was given."""
    return _PLAIN_TOO if targets.allow_loopback else session_webhooks


def session_webhooks_at(targets: TargetPolicy) -> Check:
    """The check of an installation whose webhooks may go to `targets`."""
    shape = shape_at(targets)

    def check(value: Any) -> Any:
        for webhook in shape(value):
            if not targets.permits_url(webhook["url"]):
                raise Invalid(f"{shown(webhook['url'])} is no address that webhooks may go to.")
        return value

    return check


def stored(webhooks: Sequence[dict[str, Any]]) -> str | None:
    """What a session's facts carry; None where there are none, so that the project's apply. Raises ApiError 400."""
    if len(webhooks) > MOST:
        raise refused("You have reached the maximum number of webhooks for a single bot")
    if len({webhook["url"] for webhook in webhooks}) < len(webhooks):
        raise refused("URL already subscribed for this bot")
    return json.dumps(webhooks, separators=(",", ":")) if webhooks else None
