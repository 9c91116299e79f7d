"""`external_media_storage_settings`: the customer's own bucket that the finished recording is copied to. Pure."""

import re
from typing import Any

from api.errors import ApiError, refused
from api.json_schemas import STRING, closed, conforms
from api.shapes import Check, Invalid

MAX_NAME_BYTES = 1024
"""What S3 takes as a key."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}")

SCHEMA = closed(
    {
        "bucket_name": STRING,
        "recording_file_name": STRING
        | {"description": "with folders, if you like; default: the session's id with .mp4 or .mp3 behind it"},
    },
    required=("bucket_name",),
    description=(
        "Your own bucket, to which the finished recording is copied before the session has `ended`. The project needs "
        "the credential `external_media_storage`. What keeps the copy from being made stands in the session's "
        "`failures`; the recording here is none the worse. A deletion does not touch it: the copy is yours."
    ),
)

_conforms: Check = conforms(SCHEMA)


def external_storage(value: Any) -> dict[str, str | None]:
    """The session settings that a value asks for: always both, so that nobody's bucket meets the name of a file that a
    template has for another. Raises Invalid."""
    given = _conforms(value)
    if not _BUCKET.fullmatch(given["bucket_name"]):
        raise Invalid(
            detail={"bucket_name": "This is no bucket's name: letters, digits, dots, hyphens and underscores."}
        )
    chosen: dict[str, str | None] = {"copy_bucket": given["bucket_name"], "copy_name": None}
    if "recording_file_name" in given:
        chosen["copy_name"] = _file_name(given["recording_file_name"])
    return chosen


def required_credential() -> ApiError:
    """Why a session that wants a copy cannot be had."""
    return refused(
        "External media storage credentials are required to use external_media_storage_settings. The operator adds "
        "them to the project: PUT /api/v1/projects/{id}/credentials/external_media_storage"
    )


def _file_name(name: str) -> str:
    """A key that every storage and every client understands as the same one."""
    segments = name.split("/")
    try:
        is_short = 0 < len(name.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        is_short = False
    if not (is_short and name.isprintable() and all(segment not in ("", ".", "..") for segment in segments)):
        raise Invalid(
            detail={
                "recording_file_name": "This is no file's name: printable characters, at most 1024 bytes, folders "
                "separated by single slashes, none of them . or .."
            }
        )
    return name
