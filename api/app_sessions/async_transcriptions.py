"""The transcriptions of what was recorded, as clients see how far they are. Pure."""

from typing import Any

from typing_extensions import TypedDict

from schemas.async_transcriptions import failure_data
from schemas.records import AsyncTranscription
from schemas.times import iso_utc


class FailureDocument(TypedDict):
    """Why there is no transcript; of a complete one, why it does not have all of the sound."""

    failure_reasons: list[str]


class AsyncTranscriptionKeys(TypedDict):
    """One transcription of what was recorded."""

    id: str
    created_at: str
    updated_at: str
    state: str
    failure_data: FailureDocument | None


def keys(one: AsyncTranscription) -> AsyncTranscriptionKeys:
    """What there is to say of one."""
    failure: Any = failure_data(one)
    return {
        "id": one.transcription_id,
        "created_at": iso_utc(one.created_at_ms),
        "updated_at": iso_utc(one.updated_at_ms),
        "state": one.state,
        "failure_data": failure,
    }
