"""Templates: how a project's sessions are that Zoom itself announces. Stored as given, read as a request is."""

import json
from dataclasses import replace
from typing import Any

from api.app_sessions.recording_settings import recording_where
from api.app_sessions.request_schemas import WISHES
from api.app_sessions.requests import NULLABLE, WISH_FIELDS, Wishes, wishes_of
from api.app_sessions.session_webhooks import session_webhooks_at, shape_at
from api.app_sessions.transcription_settings import transcription_where
from api.errors import ApiError
from api.services import Services
from api.shapes import Check, fields_of
from api.writing import written
from connectors.host.logs import get_logger
from schemas import topics
from schemas.records import Template
from schemas.settings import RecordingView

log = get_logger(__name__)

_FIELDS: dict[str, Check] = {name: check for name, check in WISH_FIELDS.items() if name != "deduplication_key"}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {name: WISHES[name] for name in _FIELDS},
    "additionalProperties": False,
}
EXAMPLE = {"transcription_settings": {"moonshine": {}}, "recording_settings": {"format": "none"}}


async def put(services: Services, project_id: str, body: Any) -> dict[str, Any]:
    """Set a project's template; the fields as they were given. Raises ApiError 400 and 503."""
    fields: dict[str, Any] = body
    _wishes(
        body,
        recording_settings=recording_where(services.settings.composed_views),
        transcription_settings=transcription_where(services.has_custom_async),
        webhooks=session_webhooks_at(services.targets),
    )
    template = Template(project_id=project_id, wishes=json.dumps(fields, ensure_ascii=False))
    await written(services, topics.TEMPLATES, project_id, template)
    return fields


async def get(services: Services, project_id: str) -> dict[str, Any]:
    """A project's template; empty where there is none."""
    await services.catch_up(topics.TEMPLATES)
    template = services.directory.template(project_id)
    fields: dict[str, Any] = {} if template is None else json.loads(template.wishes)
    return fields


def wishes(services: Services, project_id: str) -> Wishes:
    """What a session is to be that nobody but Zoom asked for."""
    template = services.directory.template(project_id)
    try:
        fields = {} if template is None else json.loads(template.wishes)
        wishes = _wishes(fields, webhooks=shape_at(services.targets))
    except (ApiError, ValueError):  # written by another release: a session with defaults is better than none
        log.error("template unusable, defaults taken", project_id=project_id)
        return wishes_of({})
    return wishes if services.settings.composed_views else _undrawn(wishes)


def _undrawn(wishes: Wishes) -> Wishes:
    """The same where nobody draws views any more: the screen instead of the speaker."""
    if not wishes.settings.is_composed:
        return wishes
    return replace(wishes, settings=replace(wishes.settings, recording_view=RecordingView.SPEAKER))


def _wishes(body: Any, **checks: Check) -> Wishes:
    return wishes_of(fields_of(body, _FIELDS | checks, required=(), nullable=NULLABLE))
