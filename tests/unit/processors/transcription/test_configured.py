"""How much may wait at a time, by what the operator has set."""

from processors.transcription.application import WAITING_PER_WORKER, TranscriptionApplication
from processors.transcription.settings import TranscriptionSettings


def test_what_waits_for_a_service_takes_no_place_from_the_recogniser() -> None:
    settings = TranscriptionSettings.model_validate({"workers": 2, "remote_waiting": 7})
    assert TranscriptionApplication(settings).max_in_flight == 2 * WAITING_PER_WORKER + 7


def test_no_key_is_shown() -> None:
    assert "s3cret" not in repr(TranscriptionSettings.model_validate({"openai_api_key": "s3cret"}))
