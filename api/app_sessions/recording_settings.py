"""`recording_settings`: what is recorded. Pure.

`resolution` and `record_chat_messages_when_paused` are defined by the App Session API as without effect for RTMS; they
are checked and dropped, as they are there. `view` is, too, and decides here about shared screens.
"""

from typing import Any

from api.json_schemas import BOOLEAN, STRING, closed, conforms, one_of
from api.shapes import Invalid, an_object
from schemas.settings import RecordingFormat, RecordingView

_VIEWS = tuple(RecordingView)
_SPEECH = "record_participant_speech_start_stop_events"
_FLAGS = (
    "record_chat_messages_when_paused",
    _SPEECH,
    "record_async_transcription_audio_chunks",
    "reserve_additional_storage",
)

_FIELDS = {"format": STRING, "view": STRING, **dict.fromkeys(_FLAGS, BOOLEAN)}

SCHEMA = closed(
    {
        "format": one_of(*RecordingFormat, default=RecordingFormat.MP4),
        "view": one_of(
            *_VIEWS,
            default=_VIEWS[0],
            description="A shared screen is shown instead of the faces, but not in the gallery.",
        ),
        "resolution": {"description": "No effect for RTMS; anything is taken for 720p."},
        **{name: {"type": "boolean", "default": False} for name in _FLAGS},
    },
    description=(
        "What is recorded. The flag about chat has no effect: what is written is always kept. The last two are refused "
        "when true: neither chunks for later transcription nor more storage can be had yet."
    ),
)
"""Of the field, for the OpenAPI document."""

_conforms = conforms(closed(_FIELDS))


def recording(value: Any) -> dict[str, Any]:
    """What was named, as fields of `SessionSettings`. Raises Invalid."""
    settings = _conforms({name: item for name, item in an_object(value).items() if name != "resolution"})
    form, view = settings.get("format"), settings.get("view", _VIEWS[0])
    if form is not None and form not in set(RecordingFormat):
        raise _nested("format", f"{form[:50]!r} is not one of mp4, mp3, none.")
    if view not in _VIEWS:
        raise _nested("view", f"{view[:50]!r} is not one of {', '.join(_VIEWS)}.")
    if settings.get("record_async_transcription_audio_chunks"):
        raise Invalid("Audio chunks for later transcription are not available yet.")
    if settings.get("reserve_additional_storage"):
        raise Invalid("Additional storage is not available: no session has a pod of its own.")
    named: dict[str, Any] = {}
    if form is not None:
        named["recording_format"] = RecordingFormat(form)
    if "view" in settings:
        named["recording_view"] = RecordingView(view)
    if _SPEECH in settings:
        named["speech_events"] = settings[_SPEECH]
    return named


def _nested(name: str, text: str) -> Invalid:
    """Reports as `{"<name>": "<text>"}`, the one place where the API's errors are no lists."""
    return Invalid(detail={name: text})
