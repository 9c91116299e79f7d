"""Transcribing what was recorded, once a session is over: asked for and checked, and not built yet. Pure."""

from typing import Any

from api.app_sessions.transcription_settings import SCHEMA as SETTINGS
from api.app_sessions.transcription_settings import transcription
from api.errors import ApiError, refused
from api.shapes import Invalid, fields_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"transcription_settings": SETTINGS},
    "required": ["transcription_settings"],
    "additionalProperties": False,
}


def refusal(body: Any) -> ApiError:
    """Why there will be no such transcription; a mistake in the body is told first."""
    try:
        fields_of(body, {"transcription_settings": _one_provider}, required=["transcription_settings"])
    except ApiError as error:
        return error
    return refused(
        "Transcribing afterwards is not available: no session keeps audio for it. "
        "Name the engines in transcription_settings when you create the session."
    )


def _one_provider(value: Any) -> None:
    transcription(value)
    if len(value) != 1 or "meeting_closed_captions" in value:
        raise Invalid("Name exactly one provider, and none that needs the meeting.")
