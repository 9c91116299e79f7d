"""`rtms_settings`: what is asked of Zoom, as its topics and recording then have it. Pure. Not of the App Session API.

Zoom has one rate and interval for each encoded codec of sound, and few stills a second: what else was named for those
is passed over, and the session's topics say what Zoom agreed to.
"""

from collections.abc import Mapping
from typing import Any

from api.json_schemas import BOOLEAN, closed, conforms, one_of
from schemas.settings import AudioCodec, PictureCodec, SessionSettings, VideoView

_DEFAULTS = SessionSettings()
_WIDTH_OF_HEIGHT = {360: 640, 720: 1280, 1080: 1920, 1440: 2560}
_KINDS: Mapping[str, Any] = {
    "audio_codec": AudioCodec, "video_codec": PictureCodec, "share_codec": PictureCodec, "video_view": VideoView,
}  # fmt: skip
_FIELDS = {"audio_mixed": "mixed_audio"}


def _number(default: int, *values: int) -> dict[str, Any]:
    return {"type": "integer", "enum": list(values), "default": default}


def _fps(default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": 30, "default": default}


SCHEMA = closed(
    {
        "audio": closed(
            {
                "codec": one_of(*AudioCodec, default=_DEFAULTS.audio_codec),
                "sample_rate_hz": _number(_DEFAULTS.audio_sample_rate_hz, 8000, 16000, 32000, 48000),
                "channels": _number(_DEFAULTS.audio_channels, 1, 2),
                "send_rate_ms": {
                    "type": "integer", "minimum": 20, "maximum": 1000, "multipleOf": 20,
                    "default": _DEFAULTS.audio_send_rate_ms,
                },
                "mixed": BOOLEAN | {"default": _DEFAULTS.mixed_audio},
            }
        ),
        "video": closed(
            {
                "codec": one_of(*PictureCodec, default=_DEFAULTS.video_codec),
                "height": _number(_DEFAULTS.video_height, *_WIDTH_OF_HEIGHT),
                "fps": _fps(_DEFAULTS.video_fps),
                "view": one_of(*VideoView, default=_DEFAULTS.video_view),
            }
        ),
        "share": closed(
            {
                "codec": one_of(*PictureCodec, default=_DEFAULTS.share_codec),
                "height": _number(_DEFAULTS.share_height, *_WIDTH_OF_HEIGHT),
                "fps": _fps(_DEFAULTS.share_fps),
            }
        ),
    },
    description=(
        "What is asked of Zoom. Sound that is encoded has Zoom's own rate and comes every 20 ms, stills come up to 5 "
        "times a second from a camera and once a second from a shared screen."
    ),
)  # fmt: skip
"""Of the field, for the OpenAPI document."""

_conforms = conforms(SCHEMA)


def asked_of_zoom(value: Any) -> dict[str, Any]:
    """What was named, as fields of `SessionSettings`. Raises Invalid."""
    given = {f"{medium}_{name}": one for medium, settings in _conforms(value).items() for name, one in settings.items()}
    if "video_height" in given:
        given["video_width"] = _WIDTH_OF_HEIGHT[given["video_height"]]
    return {_FIELDS.get(name, name): _KINDS.get(name, _plain)(one) for name, one in given.items()}


def _plain(value: Any) -> Any:
    """A whole number as one, which JSON may write as `25.0`; anything else as it is."""
    return int(value) if isinstance(value, float) else value
