"""`metadata`: what a client wants to find again at its session. Pure."""

import json
from typing import Any

from api.shapes import Invalid

MAX_CHARACTERS = 1000

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": f"Yours; at most {MAX_CHARACTERS} characters of JSON. It comes back in every answer and webhook.",
    "additionalProperties": {"type": "string"},
    "minProperties": 1,
}
"""Of the field, for the OpenAPI document."""


def metadata(value: Any) -> str:
    """Its JSON text. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid("Metadata must be an object")
    if not value:
        raise Invalid("Metadata must have at least one key")
    if not all(isinstance(item, str) for item in value.values()):
        raise Invalid("Metadata values must be strings")
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > MAX_CHARACTERS:
        raise Invalid(f"Metadata must be at most {MAX_CHARACTERS} characters of JSON")
    return text
