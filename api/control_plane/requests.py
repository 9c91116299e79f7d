"""What the operator asks of the control plane, and how it is answered. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from api import retention
from api.credentials import Scope
from api.json_schemas import conforms, whole_number
from api.shapes import Check, Invalid, a_string, fields_of, secret_up_to, text_up_to
from api.times import unix_ms
from schemas.records import ApiKey, Project, ZoomApp
from schemas.times import iso_utc

MAX_NAME_CHARACTERS = 200
MAX_SECRET_CHARACTERS = 512
MOST_SESSIONS = 1_000_000

_NAME = text_up_to(MAX_NAME_CHARACTERS)
_SECRET = secret_up_to(MAX_SECRET_CHARACTERS)

_TEXT = {"type": "string", "minLength": 1}
_LIMIT = {
    "type": ["integer", "null"],
    "minimum": 0,
    "maximum": MOST_SESSIONS,
    "description": "live sessions at a time; null: as many as the installation's setting says",
}
_SCOPES: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "enum": [str(scope) for scope in Scope]},
    "minItems": 1,
    "uniqueItems": True,
}

PROJECT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": _TEXT, "concurrency_limit": _LIMIT, "retention_hours": retention.SCHEMA},
    "required": ["name"],
    "additionalProperties": False,
}
PROJECT_CHANGE_SCHEMA: dict[str, Any] = PROJECT_SCHEMA | {"required": []}
API_KEY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "scopes": _SCOPES
        | {"description": "`read` (GET), `write` (sessions), `manage` (webhooks); default: all of them"},
        "expires_at": {"type": "string", "format": "date-time", "description": "default: never"},
    },
    "required": ["name"],
    "additionalProperties": False,
}
ZOOM_APP_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "client_id": _TEXT,
        "client_secret": _TEXT,
        "webhook_secret": {"description": "Zoom's secret token, if webhooks are to come here", **_TEXT},
    },
    "required": ["client_id", "client_secret"],
    "additionalProperties": False,
}


class ProjectDocument(TypedDict):
    """A tenant. `concurrency_limit` null: the installation's. `retention_hours` null: data is not deleted by itself."""

    id: str
    name: str
    concurrency_limit: int | None
    retention_hours: int | None
    created_at: str


class NewProjectDocument(ProjectDocument):
    """`webhook_secret` signs what sessions tell receivers of their own; it is shown this once."""

    webhook_secret: str


class ProjectList(TypedDict):
    """All projects, oldest first."""

    results: list[ProjectDocument]


class WebhookSecretDocument(TypedDict):
    """Shown this once. Decode it from base64 before use."""

    webhook_secret: str


class ApiKeyDocument(TypedDict):
    """A key without its secret, of which only a hash is kept. `key` is there once, when it is made."""

    id: str
    name: str
    scopes: list[str]
    expires_at: str | None
    last_used_at: str | None
    created_at: str
    key: NotRequired[str]


class ApiKeyList(TypedDict):
    """A project's keys, oldest first."""

    results: list[ApiKeyDocument]


class ZoomAppDocument(TypedDict):
    """Credentials of a Zoom app; the secrets are never shown. `webhook_url` is what to enter at Zoom, if it has a
    webhook secret."""

    id: str
    client_id: str
    webhook_url: str | None


class ZoomAppList(TypedDict):
    """A project's Zoom apps, in the order they were added."""

    results: list[ZoomAppDocument]


def project(body: Any) -> dict[str, Any]:
    """`name` and perhaps `concurrency_limit` and `retention_hours`. Raises ApiError 400."""
    return _project(body, ["name"])


def project_change(body: Any) -> dict[str, Any]:
    """What is to be another. Raises ApiError 400."""
    return _project(body, [])


def api_key(body: Any) -> dict[str, Any]:
    """`name` and perhaps `scopes` and `expires_at` (then in Unix ms). Raises ApiError 400."""
    return fields_of(body, {"name": _NAME, "scopes": conforms(_SCOPES), "expires_at": _moment}, required=["name"])


def zoom_app(body: Any) -> dict[str, str]:
    """`client_id`, `client_secret` and perhaps `webhook_secret`. Raises ApiError 400."""
    checks: Mapping[str, Check] = {"client_id": _SECRET, "client_secret": _SECRET, "webhook_secret": _SECRET}
    return fields_of(body, checks, required=["client_id", "client_secret"])


def project_document(known: Project) -> ProjectDocument:
    """A project as it is answered."""
    return {
        "id": known.project_id,
        "name": known.name,
        "concurrency_limit": known.concurrency_limit,
        "retention_hours": known.retention_hours,
        "created_at": iso_utc(known.created_at_ms),
    }


def api_key_document(key: ApiKey, last_used_ms: int | None) -> ApiKeyDocument:
    """A key as it is answered."""
    scopes: Sequence[str] = key.scopes or tuple(str(scope) for scope in Scope)
    return {
        "id": key.key_id,
        "name": key.name,
        "scopes": list(scopes),
        "expires_at": None if key.expires_at_ms is None else iso_utc(key.expires_at_ms),
        "last_used_at": None if last_used_ms is None else iso_utc(last_used_ms),
        "created_at": iso_utc(key.created_at_ms),
    }


def zoom_app_document(app: ZoomApp, base_url: str) -> ZoomAppDocument:
    """An app as it is answered."""
    url = f"{base_url}/zoom/{app.zoom_app_id}" if app.webhook_secret_encrypted else None
    return {"id": app.zoom_app_id, "client_id": app.client_id, "webhook_url": url}


def _project(body: Any, required: list[str]) -> dict[str, Any]:
    checks: Mapping[str, Check] = {
        "name": _NAME,
        "concurrency_limit": whole_number(_LIMIT),
        "retention_hours": retention.hours,
    }
    return fields_of(body, checks, required=required, nullable=("concurrency_limit", "retention_hours"))


def _moment(value: Any) -> int:
    try:
        return unix_ms(a_string(value))
    except ValueError as error:
        if isinstance(error, Invalid):
            raise
        raise Invalid("This is no ISO 8601 time, e.g. 2027-01-13T10:30:00Z") from None
