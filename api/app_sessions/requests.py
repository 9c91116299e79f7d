"""What clients ask of app sessions: bodies to values. Pure; every mistake is a 400 that names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from api.app_sessions import options
from api.app_sessions.stream_requests import MAX_ID_CHARACTERS, AnnouncedStream, announced, stream_id
from api.shapes import Check, Invalid, a_string, an_object, fields_of, text_up_to
from connectors.rtms.protocol.addresses import AddressPolicy
from schemas.settings import Engine, RecordingFormat, SessionSettings


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """A session to be made. `zoom_app` (our id or Zoom's client id) says which app of the project the stream is for."""

    stream: AnnouncedStream
    settings: SessionSettings
    metadata: str | None
    zoom_app: str | None


def _no_voice_agents(value: Any) -> None:
    raise Invalid("Voice agents are not enabled.")


# Only bots that join by themselves have a use for these; App Sessions accept them and do nothing with them.
_BOT_FIELDS: Mapping[str, Check] = {
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

_SESSION_FIELDS: Mapping[str, Check] = {
    "debug_settings": options.debug,
    "deduplication_key": options.not_yet("Deduplication keys are"),
    "external_media_storage_settings": options.not_yet("External media storage is"),
    "metadata": options.metadata,
    "recording_settings": options.recording,
    "rtmp_settings": options.not_yet("RTMP streaming is"),
    "transcription_settings": options.transcription,
    "webhooks": options.not_yet("Webhooks are"),
    "websocket_settings": options.not_yet("Real-time media WebSockets are"),
    "zoom_app_id": text_up_to(MAX_ID_CHARACTERS),
}


def session_order(body: Any, addresses: AddressPolicy) -> SessionOrder:
    """The order in a create request; `addresses` says where a stream may be.

    A body that is Zoom's whole webhook and nothing else is an order with default settings.

    Raises:
        ApiError: 400.
    """
    checks: dict[str, Check] = {**_BOT_FIELDS, **_SESSION_FIELDS, "zoom_rtms": partial(announced, addresses=addresses)}
    values = fields_of(_unwrapped(body), checks, required=["zoom_rtms"])
    stream: AnnouncedStream = values["zoom_rtms"]
    engines, language = values.get("transcription_settings", ((Engine.ZOOM,), "en"))
    return SessionOrder(
        stream=stream,
        settings=SessionSettings(
            engines=engines,
            language=language,
            recording_format=values.get("recording_settings", RecordingFormat.MP4),
        ),
        metadata=values.get("metadata"),
        zoom_app=values.get("zoom_app_id") or stream.zoom_app,
    )


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
