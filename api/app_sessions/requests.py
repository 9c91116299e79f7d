"""What clients ask of app sessions: bodies to values. Pure; every mistake is a 400 that names it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from api import retention
from api.app_sessions import media_settings
from api.app_sessions.external_storage import external_storage
from api.app_sessions.metadata import metadata
from api.app_sessions.recording_settings import recording, recording_where
from api.app_sessions.rtms_settings import asked_of_zoom
from api.app_sessions.session_webhooks import session_webhooks, session_webhooks_at, stored
from api.app_sessions.stream_requests import MAX_ID_CHARACTERS, AnnouncedStream, announced, stream_id
from api.app_sessions.transcription_settings import transcription, transcription_where
from api.errors import invalid_fields
from api.shapes import Check, Invalid, a_string, an_object, fields_of, text_up_to
from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.webhooks.targets import PUBLIC, TargetPolicy
from schemas.records import Project
from schemas.settings import SessionSettings

MAX_KEY_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a session is to be. `given` names what the client said itself, as `schemas.requests` knows it."""

    settings: SessionSettings
    metadata: str | None
    webhooks: str | None
    deduplication_key: str | None
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """A session to be made. `zoom_app` (our id or Zoom's client id) says which app of the project the stream is for."""

    stream: AnnouncedStream
    wishes: Wishes
    zoom_app: str | None


def _no_voice_agents(value: Any) -> None:
    raise Invalid("Voice agents are not enabled.")


def _key(value: Any) -> str:
    if value == "":
        raise Invalid("This field may not be blank.")
    return _text(value)


_text = text_up_to(MAX_KEY_CHARACTERS)

# Only bots that join by themselves have a use for these; App Sessions accept them and do nothing with them.
BOT_FIELDS: Mapping[str, Check] = {
    "automatic_leave_settings": an_object,
    "bot_chat_message": an_object,
    "bot_image": an_object,
    "calendar_event_id": a_string,
    "callback_settings": an_object,
    "google_meet_settings": an_object,
    "kubernetes_settings": an_object,
    "teams_settings": an_object,
    "voice_agent_settings": _no_voice_agents,
    "zoom_settings": an_object,
}

WISH_FIELDS: Mapping[str, Check] = {
    "debug_settings": media_settings.debug,
    "deduplication_key": _key,
    "external_media_storage_settings": external_storage,
    "metadata": metadata,
    "recording_settings": recording,
    retention.FIELD: retention.hours,
    "rtmp_settings": media_settings.rtmp,
    "rtms_settings": asked_of_zoom,
    "transcription_settings": transcription,
    "webhooks": session_webhooks,
    "websocket_settings": media_settings.websockets,
}


NULLABLE = (retention.FIELD,)
"""Wishes that null is a wish for."""


def session_order(
    body: Any,
    addresses: AddressPolicy,
    targets: TargetPolicy = PUBLIC,
    *,
    has_custom_async: bool = True,
    composed_views: bool = True,
) -> SessionOrder:
    """The order in a create request; `addresses` says where a stream may be, `targets` where webhooks may go,
    `has_custom_async` whether the operator has a transcriber, `composed_views` whether somebody draws them.

    A body that is Zoom's whole webhook and nothing else is an order with default settings.

    Raises:
        ApiError: 400.
    """
    checks: dict[str, Check] = {
        **BOT_FIELDS,
        **WISH_FIELDS,
        "recording_settings": recording_where(composed_views),
        "transcription_settings": transcription_where(has_custom_async),
        "webhooks": session_webhooks_at(targets),
        "zoom_app_id": text_up_to(MAX_ID_CHARACTERS),
        "zoom_rtms": partial(announced, addresses=addresses),
    }
    values = fields_of(_unwrapped(body), checks, required=["zoom_rtms"], nullable=NULLABLE)
    stream: AnnouncedStream = values["zoom_rtms"]
    return SessionOrder(stream, wishes_of(values), values.get("zoom_app_id") or stream.zoom_app)


_MIXED = "Mixed audio is nobody's: ask for per_participant_audio or for rtms_settings.audio.mixed, not for both."


def wishes_of(values: Mapping[str, Any]) -> Wishes:
    """The wishes in fields that were checked. Raises ApiError 400."""
    chosen: dict[str, Any] = {}
    if "transcription_settings" in values:
        chosen["engines"], chosen["language"], chosen["engine_options"] = values["transcription_settings"]
    for name in ("recording_settings", "rtms_settings", "external_media_storage_settings"):
        chosen |= values.get(name, {})
    if retention.FIELD in values:
        chosen["retention_hours"] = values[retention.FIELD]
    if chosen.get("mixed_audio") and chosen.get("participant_audio"):
        raise invalid_fields({"recording_settings": [_MIXED]})
    own = ("metadata", "webhooks", "deduplication_key")
    return Wishes(
        settings=SessionSettings(**chosen),
        metadata=values.get("metadata"),
        webhooks=stored(values.get("webhooks", ())),
        deduplication_key=values.get("deduplication_key"),
        given=(*chosen, *(name for name in own if values.get(name))),
    )


def within(wishes: Wishes, project: Project | None) -> Wishes:
    """The wishes with what the project says of all its sessions, where neither a caller nor a template named it."""
    if project is None or "retention_hours" in wishes.given:
        return wishes
    return replace(wishes, settings=replace(wishes.settings, retention_hours=project.retention_hours))


def ended_stream(body: Any) -> str:
    """The id of the stream in an end request; everything else in it is ignored.

    Raises:
        ApiError: 400.
    """
    fields = _unwrapped(body)
    if isinstance(fields, dict):
        fields = {name: value for name, value in fields.items() if name == "zoom_rtms"}
    stream: str = fields_of(fields, {"zoom_rtms": stream_id}, required=["zoom_rtms"])["zoom_rtms"]
    return stream


def _unwrapped(body: Any) -> Any:
    """Zoom's webhook as it came, put where the field would be."""
    if isinstance(body, dict) and "zoom_rtms" not in body and isinstance(body.get("payload"), dict):
        webhook = {key: body[key] for key in ("event", "event_ts", "payload") if key in body}
        return {key: value for key, value in body.items() if key not in webhook} | {"zoom_rtms": webhook}
    return body
