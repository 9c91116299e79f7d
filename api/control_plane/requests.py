"""What the operator asks of the control plane, and how it is answered. Pure."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from api.shapes import Check, fields_of, text_up_to
from schemas.records import Project

MAX_NAME_CHARACTERS = 200
MAX_SECRET_CHARACTERS = 512

_NAME = text_up_to(MAX_NAME_CHARACTERS)
_SECRET = text_up_to(MAX_SECRET_CHARACTERS)

_NAMED: Mapping[str, Check] = {"name": _NAME}
_ZOOM_APP: Mapping[str, Check] = {"client_id": _SECRET, "client_secret": _SECRET, "webhook_secret": _SECRET}

_TEXT = {"type": "string", "minLength": 1}
NAMED_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"name": _TEXT}, "required": ["name"]}
ZOOM_APP_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "client_id": _TEXT,
        "client_secret": _TEXT,
        "webhook_secret": {"description": "Zoom's secret token, if webhooks are to come here", **_TEXT},
    },
    "required": ["client_id", "client_secret"],
}


class ProjectDocument(TypedDict):
    """A tenant."""

    id: str
    name: str


class ProjectList(TypedDict):
    """All projects, oldest first."""

    results: list[ProjectDocument]


class ApiKeyDocument(TypedDict):
    """`key` is shown this once: only its hash is kept."""

    id: str
    key: str


class ZoomAppDocument(TypedDict):
    """Credentials of a Zoom app; the secrets are never shown."""

    id: str
    client_id: str


def name(body: Any) -> str:
    """The name in `{"name": ...}`. Raises ApiError 400."""
    given: str = fields_of(body, _NAMED, required=["name"])["name"]
    return given


def zoom_app(body: Any) -> dict[str, str]:
    """`client_id`, `client_secret` and perhaps `webhook_secret`. Raises ApiError 400."""
    return fields_of(body, _ZOOM_APP, required=["client_id", "client_secret"])


def project_document(project: Project) -> ProjectDocument:
    """A project as it is answered."""
    return {"id": project.project_id, "name": project.name}
