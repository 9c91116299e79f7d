"""`transcription_settings`: who writes the transcript. Pure.

Every provider of the App Session API is described and checked; one that cannot be had yet is refused in a sentence,
after the mistakes that would be mistakes anywhere.
"""

from collections.abc import Mapping
from typing import Any

from api.json_schemas import (
    BOOLEAN,
    OBJECT,
    STRING,
    STRINGS,
    UNIQUE_STRINGS,
    closed,
    conforms,
    one_of,
)
from api.shapes import Invalid
from schemas.settings import Engine

LANGUAGES = ("en",)
"""What the local recogniser has models for."""

_SARVAM_LANGUAGES = (
    "unknown", "hi-IN", "bn-IN", "kn-IN", "ml-IN", "mr-IN", "od-IN", "pa-IN", "ta-IN", "te-IN", "en-IN", "gu-IN",
)  # fmt: skip

_CHUNKING = {
    "oneOf": [
        {"const": "auto"},
        closed(
            {
                "type": {"const": "server_vad"},
                "prefix_padding_ms": {"type": "integer"},
                "silence_duration_ms": {"type": "integer"},
                "threshold": {"type": "number"},
            },
            required=("type",),
        ),
    ]
}

_OTHERS: Mapping[str, dict[str, Any]] = {
    "assembly_ai": closed(
        {
            "language_code": STRING,
            "language_detection": BOOLEAN,
            "keyterms_prompt": STRINGS,
            "custom_spelling": {
                "type": "array",
                "items": closed({"from": STRINGS, "to": STRING}, required=("from", "to")),
            },
            "prompt": STRING,
            "speech_model": STRING,
            "speech_models": UNIQUE_STRINGS,
            "speaker_labels": BOOLEAN,
            "use_eu_server": BOOLEAN,
            "language_detection_options": closed({"expected_languages": STRINGS, "fallback_language": STRING}),
        }
    ),
    "custom_async": OBJECT,
    "custom_async_v2": {
        "type": "object",
        "properties": {"headers": {"type": "object", "additionalProperties": STRING}, "form_data": OBJECT},
    },
    "deepgram": closed(
        {
            "callback": STRING,
            "detect_language": BOOLEAN,
            "keyterms": STRINGS,
            "keywords": STRINGS,
            "language": STRING,
            "model": STRING,
            "redact": {"type": "array", "items": one_of("pci", "pii", "numbers"), "uniqueItems": True},
            "replace": STRINGS,
            "use_eu_server": BOOLEAN,
        }
    ),
    "elevenlabs": closed(
        {
            "model_id": one_of("scribe_v1", "scribe_v1_experimental"),
            "language_code": STRING,
            "tag_audio_events": BOOLEAN,
        },
        required=("model_id",),
    ),
    "gladia": closed({"code_switching_languages": STRINGS, "enable_code_switching": BOOLEAN}),
    "kyutai": closed({"server_url": {"type": "string", "pattern": "^wss?://"}}),
    "openai": closed(
        {
            "model": one_of("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"),
            "prompt": STRING,
            "language": STRING,
            "response_format": one_of("json", "diarized_json"),
            "chunking_strategy": _CHUNKING,
        },
        required=("model",),
    ),
    "sarvam": closed(
        {
            "model": STRING,
            "language_code": one_of(*_SARVAM_LANGUAGES),
            "mode": one_of("transcribe", "translate", "verbatim", "translit", "codemix"),
        }
    ),
}

_OURS: Mapping[str, dict[str, Any]] = {
    "meeting_closed_captions": closed(
        {
            "google_meet_language": STRING,
            "teams_language": STRING,
            "zoom_language": STRING,
            "merge_consecutive_captions": BOOLEAN,
        },
        description="Zoom's own captions. The languages have no effect: Zoom's captions follow the meeting's.",
    ),
    "moonshine": closed({"language": one_of(*LANGUAGES)}, description="The local recogniser."),
}

_NAMES: Mapping[Engine, str] = {Engine.ZOOM: "meeting_closed_captions", Engine.MOONSHINE: "moonshine"}

_ACCEPTED = closed({**_OTHERS, **_OURS})

SCHEMA = _ACCEPTED | {
    "description": (
        "Who writes the transcript; several at once are fine, an empty object means Zoom's captions. "
        f"Can be had: {', '.join(_OURS)}. The others are checked and refused until they are built."
    ),
    "default": {"meeting_closed_captions": {}},
}
"""Of the field, for the OpenAPI document."""

_conforms = conforms(_ACCEPTED)


def transcription(value: Any) -> tuple[tuple[Engine, ...], str]:
    """The engines, in their order of precedence, and the language. Raises Invalid."""
    providers = _conforms(value)
    deepgram = providers.get("deepgram", {})
    if "callback" in deepgram and deepgram.get("detect_language"):
        raise _nested("Deepgram cannot detect the language when it is to call back.")
    if unavailable := sorted(_OTHERS.keys() & providers):
        available = ", ".join(_OURS)
        raise Invalid(f"The transcription provider '{unavailable[0]}' is not available yet. Available: {available}.")
    if providers.get("meeting_closed_captions", {}).get("merge_consecutive_captions"):
        raise Invalid("Merging consecutive captions is not available yet.")
    engines = tuple(engine for engine in Engine if _NAMES[engine] in providers)
    return engines or (Engine.ZOOM,), providers.get("moonshine", {}).get("language", LANGUAGES[0])


def _nested(text: str) -> Invalid:
    return Invalid(detail={"transcription_settings": text})
