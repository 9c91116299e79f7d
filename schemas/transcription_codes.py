"""Why there are no words, as the App Session API says it. Pure."""

from enum import StrEnum


class Reason(StrEnum):
    """What a speech service may be the reason of."""

    CREDENTIALS_NOT_FOUND = "credentials_not_found"
    CREDENTIALS_INVALID = "credentials_invalid"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    AUDIO_UPLOAD_FAILED = "audio_upload_failed"
    TRANSCRIPTION_REQUEST_FAILED = "transcription_request_failed"
    TIMED_OUT = "timed_out"


INTERNAL_ERROR = "internal_error"
IN_PROGRESS = "utterances_still_in_progress_when_recording_terminated"

_CODES = {str(reason): str(reason) for reason in Reason}


def code_of(reason: str | None) -> str:
    """Why an utterance has failed, as it is said of the whole; a recogniser's own words are an internal error."""
    return _CODES.get(reason or "", INTERNAL_ERROR)
