"""`webhooks`: whom a session tells besides, or rather instead of, those that its project tells. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from api.errors import refused
from api.json_schemas import closed, conforms
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


def plain_http_too() -> Any:
    """The check of an installation that opens plain addresses by a switch."""
    url = {"type": "string", "pattern": "^https?://"}
    return conforms(SCHEMA | {"items": closed({"url": url, "triggers": TRIGGERS}, required=("url", "triggers"))})


def stored(webhooks: Sequence[dict[str, Any]]) -> str | None:
    """What a session's facts carry; None where there are none, so that the project's apply. Raises ApiError 400."""
    if len(webhooks) > MOST:
        raise refused("You have reached the maximum number of webhooks for a single bot")
    if len({webhook["url"] for webhook in webhooks}) < len(webhooks):
        raise refused("URL already subscribed for this bot")
    return json.dumps(webhooks, separators=(",", ":")) if webhooks else None
