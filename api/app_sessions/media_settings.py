"""What else a session may be told to do with its media: checked whole, and refused until it is built. Pure.

A mistake is told first, so that a client which will be served one day learns of it today.
"""

from typing import Any

from api.json_schemas import BOOLEAN, STRING, closed, conforms, one_of
from api.shapes import Check, Invalid

_RESOLUTION = one_of("none", "360p", "720p", "1080p", default="360p")


def _rate(*hertz: int) -> dict[str, Any]:
    return {"type": "integer", "enum": list(hertz), "default": 16000}


WEBSOCKETS = closed(
    {
        "audio": closed({"url": STRING, "sample_rate": _rate(8000, 16000, 24000)}, required=("url",)),
        "per_participant_audio": closed({"url": STRING, "sample_rate": _rate(8000, 16000)}, required=("url",)),
        "per_participant_video": closed(
            {"url": STRING, "webcam_resolution": _RESOLUTION, "screenshare_resolution": _RESOLUTION}, required=("url",)
        ),
    },
    description="Not available yet: anything but an empty object is refused.",
)
RTMP = {
    "type": "object",
    "properties": {"destination_url": STRING, "stream_key": STRING},
    "required": ["destination_url", "stream_key"],
    "description": "Not available yet.",
}
DEBUG = closed({"create_debug_recording": BOOLEAN | {"default": False}}, description="Only the default can be had.")


def websockets(value: Any) -> None:
    """Only an empty object, which asks for nothing. Raises Invalid, for a bad address under its own name."""
    for name, socket in _websockets(value).items():
        if not socket["url"].startswith("wss://"):
            raise Invalid(detail={name: {"url": "The address must begin with wss://."}})
    video = value.get("per_participant_video", {})
    if video and {video.get("webcam_resolution"), video.get("screenshare_resolution")} == {"none"}:
        raise Invalid(detail={"per_participant_video": "One of the two resolutions must be another than none."})
    if value:
        raise Invalid("Real-time media WebSockets are not available yet.")


def rtmp(value: Any) -> None:
    """Nothing, yet. Raises Invalid, for a bad address under its own name."""
    given = _rtmp(value)
    if not given["destination_url"].startswith(("rtmp://", "rtmps://")):
        raise Invalid(detail={"destination_url": "The address must begin with rtmp:// or rtmps://."})
    raise Invalid("RTMP streaming is not available yet.")


def debug(value: Any) -> None:
    """Only the default. Raises Invalid."""
    if _debug(value).get("create_debug_recording"):
        raise Invalid("Debug recordings are not available yet.")


_websockets: Check = conforms(WEBSOCKETS)
_rtmp: Check = conforms(RTMP)
_debug: Check = conforms(DEBUG)
