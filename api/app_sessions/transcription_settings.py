"""`transcription_settings`: who writes the transcript. Pure.

Every provider of the App Session API is described and checked; one that cannot be had yet is refused in a sentence,
after the mistakes that would be mistakes anywhere. There are no addresses: whom a name stands for is the
operator's to say, so that no session can send sound or keys elsewhere.
"""

import json
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
from api.shapes import Check, Invalid
from schemas.settings import MERGES, Engine

MODEL = {"type": "string", "minLength": 1, "maxLength": 200}

MAX_OPTIONS_BYTES = 8192
"""Of all providers together: they stand in every state of the session."""

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
    "custom_async_v2": {
        "type": "object",
        "properties": {"headers": {"type": "object", "additionalProperties": STRING}, "form_data": OBJECT},
    },
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
    "sarvam": closed(
        {
            "model": STRING,
            "language_code": one_of(*_SARVAM_LANGUAGES),
            "mode": one_of("transcribe", "translate", "verbatim", "translit", "codemix"),
        }
    ),
}

_PARTIALS = BOOLEAN | {"default": False, "description": "Tell what is being said while somebody speaks."}

_OURS: Mapping[str, dict[str, Any]] = {
    "deepgram": closed(
        {
            "callback": STRING,
            "detect_language": BOOLEAN,
            "keyterms": STRINGS,
            "keywords": STRINGS,
            "language": STRING,
            "model": STRING,
            "partials": _PARTIALS,
            "redact": {"type": "array", "items": one_of("pci", "pii", "numbers"), "uniqueItems": True},
            "replace": STRINGS,
            "use_eu_server": BOOLEAN,
        }
    ),
    "openai": closed(
        {
            "model": MODEL,
            "prompt": STRING,
            "language": STRING,
            "response_format": one_of("json", "diarized_json"),
            "chunking_strategy": _CHUNKING,
        },
        required=("model",),
    ),
    "custom_async": OBJECT | {"description": "The operator's own transcriber; every key becomes a field of its form."},
    "meeting_closed_captions": closed(
        {
            "google_meet_language": STRING,
            "teams_language": STRING,
            "zoom_language": STRING,
            MERGES: BOOLEAN
            | {"default": False, "description": "Make one utterance of captions of a speaker who goes on at once."},
        },
        description="Zoom's own captions. The languages have no effect: Zoom's captions follow the meeting's.",
    ),
    "moonshine": closed(
        {
            "language": one_of(*LANGUAGES),
            "partials": _PARTIALS,
        },
        description="The local recogniser.",
    ),
}

_NAMES: Mapping[Engine, str] = {engine: str(engine) for engine in Engine} | {Engine.ZOOM: "meeting_closed_captions"}

_REMOTE = ("deepgram", "openai", "custom_async")

_ACCEPTED = closed({**_OTHERS, **_OURS})

SCHEMA = _ACCEPTED | {
    "description": (
        "Who writes the transcript; an empty object means Zoom's captions. Of several that hear the sound the first of "
        f"{', '.join(engine for engine in Engine if engine is not Engine.ZOOM)} is asked, and the next where it fails; "
        "Zoom's captions are a transcript beside theirs. "
        f"Can be had: {', '.join(_OURS)}. The others are checked and refused until they are built."
    ),
    "default": {"meeting_closed_captions": {}},
}
"""Of the field, for the OpenAPI document."""

_conforms = conforms(_ACCEPTED)


def transcription(value: Any) -> tuple[tuple[Engine, ...], str, str]:
    """The engines, in their order of precedence, the local one's language, all engines' options. Raises Invalid."""
    providers = _conforms(value)
    _check_deepgram(providers.get("deepgram", {}))
    if unavailable := sorted(_OTHERS.keys() & providers):
        available = ", ".join(_OURS)
        raise Invalid(f"The transcription provider '{unavailable[0]}' is not available yet. Available: {available}.")
    engines = tuple(engine for engine in Engine if _NAMES[engine] in providers) or (Engine.ZOOM,)
    local = providers.get("moonshine", {})
    if local.get("partials") and engines[0] is not Engine.MOONSHINE:
        raise Invalid(
            f"These partials are the local recogniser's; {engines[0]} is asked before it. Name one of the two."
        )
    return engines, local.get("language", LANGUAGES[0]), _options(providers)


def transcription_where(has_custom_async: bool) -> Check:
    """`transcription` of an installation that has a transcriber of its operator's, or none."""

    def check(value: Any) -> tuple[tuple[Engine, ...], str, str]:
        found = transcription(value)
        if Engine.CUSTOM_ASYNC in found[0] and not has_custom_async:
            raise Invalid(
                "The transcription provider 'custom_async' is not set up here: "
                "the operator has to say in RTMS_CUSTOM_ASYNC_URL whom to ask."
            )
        return found

    return check


def _check_deepgram(section: Mapping[str, Any]) -> None:
    if section.get("detect_language") and section.get("partials"):
        raise Invalid(
            "Deepgram cannot detect the language while somebody speaks. Leave out detect_language: "
            "the language 'multi', which is the default, knows several."
        )
    if "callback" not in section:
        return
    if section.get("detect_language"):
        raise _nested("Deepgram cannot detect the language when it is to call back.")
    raise Invalid("Deepgram's callback is not available yet.")


def _options(providers: Mapping[str, Any]) -> str:
    wanted = {name: providers[name] for name in _REMOTE if providers.get(name)}
    if providers.get("moonshine", {}).get("partials"):
        wanted["moonshine"] = {"partials": True}
    if providers.get("meeting_closed_captions", {}).get(MERGES):
        wanted[Engine.ZOOM] = {MERGES: True}
    text = json.dumps(wanted, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > MAX_OPTIONS_BYTES:
        raise Invalid(f"The providers' settings have more than {MAX_OPTIONS_BYTES} bytes.")
    return text


def _nested(text: str) -> Invalid:
    return Invalid(detail={"transcription_settings": text})
