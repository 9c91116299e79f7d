"""The bodies of create and end requests, for the OpenAPI document; `requests.py` is what reads them."""

from typing import Any

from api import retention
from api.app_sessions import (
    external_storage,
    media_settings,
    metadata,
    recording_settings,
    rtms_settings,
    session_webhooks,
    transcription_settings,
)
from api.app_sessions.requests import BOT_FIELDS, MAX_KEY_CHARACTERS

_TEXT = {"type": "string", "minLength": 1}

_STREAM: dict[str, Any] = {
    "type": "object",
    "description": (
        "The payload of Zoom's `*.rtms_started` webhook, or the whole webhook. Webinars, Video SDK sessions, contact "
        "center engagements and phone calls have `webinar_uuid`, `session_id`, `engagement_id` or `call_id` instead "
        "of `meeting_uuid`. Other keys are ignored."
    ),
    "properties": {
        "meeting_uuid": _TEXT,
        "rtms_stream_id": _TEXT,
        "server_urls": {"description": "wss:// addresses at Zoom, separated by commas", **_TEXT},
        "operator_id": {"type": "string"},
    },
    "required": ["meeting_uuid", "rtms_stream_id", "server_urls"],
}

_NO_EFFECT = "Known from bots; accepted and without effect."

_TERM = f"{retention.SCHEMA['description']} Default: what the project says."

WISHES: dict[str, Any] = {
    "transcription_settings": transcription_settings.SCHEMA,
    "recording_settings": recording_settings.SCHEMA,
    "rtms_settings": rtms_settings.SCHEMA,
    retention.FIELD: retention.SCHEMA | {"description": _TERM},
    "metadata": metadata.SCHEMA,
    "webhooks": session_webhooks.SCHEMA,
    "websocket_settings": media_settings.WEBSOCKETS,
    "rtmp_settings": media_settings.RTMP,
    "external_media_storage_settings": external_storage.SCHEMA,
    "debug_settings": media_settings.DEBUG,
    "deduplication_key": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_CHARACTERS,
        "description": "Yours; no two sessions of the project that are not over have the same.",
    },
}
"""How a session is to be, field by field."""

CREATE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "zoom_rtms": _STREAM,
        **WISHES,
        "zoom_app_id": {"description": "Which Zoom app (id or client id), if the project has several.", **_TEXT},
        **{
            name: {"type": "string" if name == "calendar_event_id" else "object", "description": _NO_EFFECT}
            for name in BOT_FIELDS
            if name != "voice_agent_settings"
        },
    },
    "required": ["zoom_rtms"],
    "additionalProperties": False,
}

CREATE_EXAMPLE = {
    "zoom_rtms": {
        "meeting_uuid": "4444AAAiAAAAAiAiAiiAii==",
        "rtms_stream_id": "609340fb2a7946909659956c8aa9250c",
        "server_urls": "wss://rtms-sjc1.zoom.us:443",
        "operator_id": "xxxxxxxxxxxxxxxxxxxxxx",
    },
    "transcription_settings": {"meeting_closed_captions": {}, "moonshine": {"language": "en"}},
    "metadata": {"customer": "42"},
    "deduplication_key": "42-weekly",
    "webhooks": [{"url": "https://example.com/hook", "triggers": ["bot.state_change", "transcript.update"]}],
}

LEAST_EXAMPLE = {"zoom_rtms": CREATE_EXAMPLE["zoom_rtms"]}

END_EXAMPLE = {
    "zoom_rtms": {
        "meeting_uuid": "4444AAAiAAAAAiAiAiiAii==",
        "rtms_stream_id": "609340fb2a7946909659956c8aa9250c",
        "stop_reason": 6,
    }
}

END: dict[str, Any] = {
    "type": "object",
    "properties": {
        "zoom_rtms": {
            "type": "object",
            "description": "The payload of Zoom's `*.rtms_stopped` webhook; only the stream's id counts.",
            "properties": {"rtms_stream_id": _TEXT},
            "required": ["rtms_stream_id"],
        }
    },
    "required": ["zoom_rtms"],
}
