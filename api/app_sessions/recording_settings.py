"""`recording_settings`: what is recorded. Pure.

`resolution` and `record_chat_messages_when_paused` are defined by the App Session API as without effect for RTMS; they
are checked and dropped, as they are there. `view` is, too, and decides here about shared screens. The composed views,
`per_participant_audio` and `separate_screen_share` are not of the App Session API.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from api.json_schemas import BOOLEAN, STRING, closed, conforms, one_of
from api.shapes import Check, Invalid, an_object
from schemas.settings import COMPOSED, RecordingFormat, RecordingView

_VIEWS = tuple(RecordingView)
_UNDRAWN = tuple(view for view in _VIEWS if view not in COMPOSED)
_SPEECH = "record_participant_speech_start_stop_events"
_CHUNKS = "record_async_transcription_audio_chunks"
_PARTICIPANTS, _SHARE = "per_participant_audio", "separate_screen_share"
_STORAGE = "reserve_additional_storage"
_FLAGS = ("record_chat_messages_when_paused", _SPEECH, _CHUNKS, _PARTICIPANTS, _SHARE, _STORAGE)

_PLAIN = {_SPEECH: "speech_events", _SHARE: "share_track"}
_FIELDS = {"format": STRING, "view": STRING, **dict.fromkeys(_FLAGS, BOOLEAN)}

SCHEMA = closed(
    {
        "format": one_of(*RecordingFormat, default=RecordingFormat.MP4),
        "view": one_of(
            *_VIEWS,
            default=_VIEWS[0],
            description=(
                "A shared screen is shown instead of the faces, but not in the gallery. The last two show both, side "
                "by side or the speaker in the corner of the screen: these are drawn once the session is over, where "
                "the operator has somebody who does (else 400)."
            ),
        ),
        "resolution": {"description": "No effect for RTMS; anything is taken for 720p."},
        **{name: {"type": "boolean", "default": False} for name in _FLAGS},
    },
    description=(
        "What is recorded. The flag about chat has no effect: what is written is always kept. "
        f"`{_PARTICIPANTS}` makes a file of each participant's sound beside the recording, and `{_CHUNKS}` means the "
        f"same; `{_SHARE}` makes one of the shared screens. `{_STORAGE}` is refused when true."
    ),
)
"""Of the field, for the OpenAPI document."""

_conforms = conforms(closed(_FIELDS))


def recording(value: Any, views: Sequence[str] = _VIEWS) -> dict[str, Any]:
    """What was named, as fields of `SessionSettings`; `views` are those that can be had. Raises Invalid."""
    settings = _conforms({name: item for name, item in an_object(value).items() if name != "resolution"})
    form, view = settings.get("format"), settings.get("view", _VIEWS[0])
    if form is not None and form not in set(RecordingFormat):
        raise _nested("format", f"{form[:50]!r} is not one of mp4, mp3, none.")
    if view not in views:
        raise _nested("view", _no_view(view, views))
    if settings.get(_STORAGE):
        raise Invalid("Additional storage is not available: no session has a pod of its own.")
    _check_tracks(settings)
    named: dict[str, Any] = {}
    if form is not None:
        named["recording_format"] = RecordingFormat(form)
    if "view" in settings:
        named["recording_view"] = RecordingView(view)
    if _CHUNKS in settings or _PARTICIPANTS in settings:
        named["participant_audio"] = _has_voices(settings)
    return named | {field: settings[name] for name, field in _PLAIN.items() if name in settings}


def recording_where(composed_views: bool) -> Check:
    """`recording` of an installation that draws composed views, or does not."""
    return recording if composed_views else partial(recording, views=_UNDRAWN)


def _no_view(view: str, views: Sequence[str]) -> str:
    """What is said of a view that cannot be had."""
    if view not in COMPOSED:
        return f"{view[:50]!r} is not one of {', '.join(views)}."
    return (
        f"{view} has to be drawn, and nobody does that here: the operator has to run processor-composing and to say so "
        f"with RTMS_API_COMPOSED_VIEWS=true. Without it: {', '.join(views)}."
    )


def _has_voices(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get(_CHUNKS) or settings.get(_PARTICIPANTS))


def _check_tracks(settings: Mapping[str, Any]) -> None:
    """Raises Invalid where the format has no place for a view or a track that is asked for."""
    form = settings.get("format")
    if settings.get("view") in COMPOSED and form not in (None, RecordingFormat.MP4):
        raise _nested("view", f"{settings['view']} is a matter of pictures: choose the format mp4, or another view.")
    if form == RecordingFormat.NONE and (_has_voices(settings) or settings.get(_SHARE)):
        raise _nested("format", "With none nothing is kept: choose mp4 or mp3, or ask for no tracks beside it.")
    if form == RecordingFormat.MP3 and settings.get(_SHARE):
        raise _nested("format", f"mp3 is sound alone: choose mp4, or do not ask for {_SHARE}.")


def _nested(name: str, text: str) -> Invalid:
    """Reports as `{"<name>": "<text>"}`, the one place where the API's errors are no lists."""
    return Invalid(detail={name: text})
