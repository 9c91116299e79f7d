"""The bodies of create and end requests, for the OpenAPI document; `requests.py` is what reads them."""

from typing import Any

from api.app_sessions.options import LANGUAGES, MAX_METADATA_CHARACTERS
from schemas.settings import RecordingFormat

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

CREATE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "zoom_rtms": _STREAM,
        "transcription_settings": {
            "type": "object",
            "description": "Who writes the transcript, one or both; default: Zoom's own captions.",
            "properties": {
                "meeting_closed_captions": {"type": "object"},
                "moonshine": {
                    "type": "object",
                    "description": "The local recogniser.",
                    "properties": {"language": {"enum": list(LANGUAGES)}},
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
        "recording_settings": {
            "type": "object",
            "description": "`view` and `resolution` have no effect for RTMS.",
            "properties": {"format": {"enum": [str(form) for form in RecordingFormat]}},
        },
        "metadata": {
            "type": "object",
            "description": f"Yours; at most {MAX_METADATA_CHARACTERS} characters of JSON.",
            "additionalProperties": {"type": "string"},
            "minProperties": 1,
        },
        "zoom_app_id": {"description": "Which Zoom app (id or client id), if the project has several.", **_TEXT},
    },
    "required": ["zoom_rtms"],
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
