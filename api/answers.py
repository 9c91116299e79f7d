"""How refusals look, for the OpenAPI document; `api.errors` makes them."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict


class ErrorDocument(TypedDict):
    """What the business says no to."""

    error: str


class DetailDocument(TypedDict):
    """What HTTP says no to."""

    detail: str


_TEXTS = {
    400: "The request makes no sense: `error`, or the fields that are wrong with what is wrong about them.",
    401: "No key, or one that opens nothing.",
    403: "The link was changed or has expired; or the key lacks the scope.",
    404: "There is no such thing in this project.",
    410: "What was to come next is no longer in the log; the transcript and the events can be read as lists.",
    413: "The body is larger than a request may be.",
    415: "The body is no JSON.",
    503: "Not now; ask again after `Retry-After` seconds. Asking again is safe.",
}
_MODELS: Mapping[int, Any] = {
    **dict.fromkeys((401, 413, 415), DetailDocument),
    404: ErrorDocument | DetailDocument,  # the latter for a cursor that is none
}
_BAD_REQUEST = 400

JSON_MEDIA_TYPE = "application/json"

ALWAYS_REFUSED = "x-always-refused"
"""Marks a route in whose description of the answers there is to be no success."""

_REFUSED: dict[str, Any] = {
    "schema": {
        "type": "object",
        "description": "`error`, or `detail` for a body that is no JSON, or field names with what is wrong.",
        "additionalProperties": True,
    },
    "examples": {
        "refused": {"value": {"error": "Deduplication key already in use."}},
        "fields": {"value": {"metadata": ["Metadata must have at least one key"]}},
        "nested": {"value": {"recording_settings": {"format": "'webm' is not one of mp4, mp3, none."}}},
        "unknown_fields": {"value": {"non_field_errors": ["Unexpected field(s): join_at. Allowed fields are: …"]}},
        "no_json": {"value": {"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"}},
    },
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can refuse with these."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in sorted(statuses):
        model: Any = _MODELS.get(status, ErrorDocument)
        described[status] = {"description": _TEXTS[status], "model": model}
        if status == _BAD_REQUEST:
            described[status] = {"description": _TEXTS[status], "content": {JSON_MEDIA_TYPE: _REFUSED}}
    return described


READING = answers(401, 403, 404, 503)
WRITING = answers(400, 401, 403, 413, 415, 503)


def json_body(schema: dict[str, Any], **examples: Any) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads JSON by itself."""
    content: dict[str, Any] = {"schema": schema}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}
