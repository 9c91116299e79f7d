"""What HTTP says about an object: its type, its tag, the headers of an answer. Pure."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import PurePosixPath

from api.media.ranges import Part
from connectors.objects.store import StoredObject

ANYWHERE = {"Access-Control-Allow-Origin": "*"}
"""Players in anybody's pages may fetch: the link is the permission, and no cookie or key goes with it."""

_TYPES = {
    ".mp4": "video/mp4",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".m4s": "video/iso.segment",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".json": "application/json",
    ".vtt": "text/vtt; charset=utf-8",
}


def content_type(key: str) -> str:
    """The media type of an object, by its key."""
    return _TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")


def tag(stored: StoredObject) -> str:
    """The strong entity tag: objects never change under one key, so age and size are plenty."""
    return f'"{sha256(repr(stored).encode()).hexdigest()[:32]}"'


def headers(stored: StoredObject, part: Part) -> dict[str, str]:
    """The headers of an answer that has `part` of the object as its body."""
    described = {
        "Accept-Ranges": "bytes",
        "Content-Type": content_type(stored.key),
        "Content-Length": str(part.end - part.start),
        "ETag": tag(stored),
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        **ANYWHERE,
    }
    if not part.whole:
        described["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{stored.size_bytes}"
    return described


def wanted_range(request: Mapping[str, str], stored: StoredObject) -> str | None:
    """The Range header that counts: none when If-Range speaks of another object than ours."""
    condition = request.get("if-range")
    return None if condition is not None and condition != tag(stored) else request.get("range")
