"""The settings a session is created with, from the fields of the request to `SessionSettings`.

What this release cannot do yet is refused in a sentence, never ignored. What the App Session API itself defines as
without effect for RTMS (`view`, `resolution`, the chat and speech flags) is checked and dropped, as it is there.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from api.shapes import Check, Invalid, a_boolean, a_string, an_object, no_others, one_of, shown
from schemas.settings import Engine, RecordingFormat

MAX_METADATA_CHARACTERS = 1000

LANGUAGES = ("en",)
"""What the local recogniser has models for."""

OTHER_PROVIDERS = frozenset(
    {
        "assembly_ai", "custom_async", "custom_async_v2", "deepgram", "elevenlabs", "gladia", "kyutai", "openai",
        "sarvam",
    }
)  # fmt: skip


def transcription(value: Any) -> tuple[tuple[Engine, ...], str]:
    """`transcription_settings` → engines and language; an empty object means Zoom's own captions. Raises Invalid."""
    providers = an_object(value)
    if unavailable := sorted(OTHER_PROVIDERS.intersection(providers)):
        raise Invalid(
            f"The transcription provider {shown(unavailable[0])} is not available yet. "
            f"Available: {', '.join(sorted(_PROVIDERS))}."
        )
    no_others(providers, _PROVIDERS)
    language = "en"
    for name, given in providers.items():
        options = an_object(given)
        no_others(options, _PROVIDERS[name])
        for key, check in _PROVIDERS[name].items():
            if key in options:
                check(options[key])
        language = options.get("language", language)
    engines = tuple(engine for engine in Engine if _NAMES[engine] in providers)
    return engines or (Engine.ZOOM,), language


def recording(value: Any) -> RecordingFormat:
    """`recording_settings` → what is recorded. Raises Invalid."""
    settings = an_object(value)
    no_others(settings, _RECORDING)
    for key, check in _RECORDING.items():
        if key in settings:
            check(settings[key])
    return RecordingFormat(settings.get("format", RecordingFormat.MP4))


def metadata(value: Any) -> str:
    """`metadata` → its JSON text. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid("Metadata must be an object")
    if not value:
        raise Invalid("Metadata must have at least one key")
    if not all(isinstance(item, str) for item in value.values()):
        raise Invalid("Metadata values must be strings")
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > MAX_METADATA_CHARACTERS:
        raise Invalid(f"Metadata must be at most {MAX_METADATA_CHARACTERS} characters of JSON")
    return text


def not_yet(what: str) -> Check:
    """A check for a field that this release knows and cannot serve; an empty one asks for nothing."""

    def check(value: Any) -> None:
        if value not in ({}, []):
            raise Invalid(f"{what} not available yet.")

    return check


def debug(value: Any) -> None:
    """`debug_settings`: only the default can be had. Raises Invalid."""
    settings = an_object(value)
    no_others(settings, {"create_debug_recording"})
    _only_false("Debug recordings are")(settings.get("create_debug_recording", False))


def _only_false(what: str) -> Check:
    def check(value: Any) -> None:
        if a_boolean(value):
            raise Invalid(f"{what} not available yet.")

    return check


def _nested(name: str, check: Callable[[Any], Any]) -> Check:
    """Reports as `{"<name>": "<text>"}`, the one place where the API's errors are no lists."""

    def checked(value: Any) -> None:
        try:
            check(value)
        except Invalid as error:
            raise Invalid(detail={name: str(error)}) from None

    return checked


def _format(value: Any) -> None:
    if value == "mp3":
        raise Invalid("Audio-only recordings (mp3) are not available yet. Use mp4 or none.")
    one_of(*RecordingFormat)(value)


def _anything(value: Any) -> None:
    return None


_NAMES: Mapping[Engine, str] = {Engine.ZOOM: "meeting_closed_captions", Engine.MOONSHINE: "moonshine"}

_PROVIDERS: Mapping[str, Mapping[str, Check]] = {
    _NAMES[Engine.ZOOM]: {
        "google_meet_language": a_string,
        "teams_language": a_string,
        "zoom_language": a_string,
        "merge_consecutive_captions": _only_false("Merging consecutive captions is"),
    },
    _NAMES[Engine.MOONSHINE]: {"language": one_of(*LANGUAGES)},
}

_RECORDING: Mapping[str, Check] = {
    "format": _nested("format", _format),
    "view": _nested("view", one_of("speaker_view", "gallery_view", "speaker_view_no_sidebar")),
    "resolution": _anything,
    "record_chat_messages_when_paused": a_boolean,
    "record_async_transcription_audio_chunks": _only_false("Audio chunks for later transcription are"),
    "record_participant_speech_start_stop_events": a_boolean,
    "reserve_additional_storage": _only_false("Additional storage is"),
}
