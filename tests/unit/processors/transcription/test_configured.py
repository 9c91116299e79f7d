"""How much may wait at a time, by what the operator has set."""

import pytest

from processors.transcription.application import WAITING_PER_WORKER, TranscriptionApplication
from processors.transcription.settings import TranscriptionSettings


@pytest.mark.parametrize(
    ("values", "waiting"),
    [({}, 0), ({"openai_api_key": "k"}, 7), ({"deepgram_api_key": "k"}, 7), ({"custom_async_url": "http://a"}, 7),
     ({"openai_base_url": "http://whisper/v1"}, 7), ({"deepgram_base_url": "http://own"}, 0)],
)  # fmt: skip
def test_what_waits_for_a_service_takes_no_place_from_the_recogniser(values: dict[str, str], waiting: int) -> None:
    settings = TranscriptionSettings.model_validate({"workers": 2, "remote_waiting": 7} | values)
    assert TranscriptionApplication(settings).max_in_flight == 2 * WAITING_PER_WORKER + waiting


def test_no_key_is_shown() -> None:
    assert "s3cret" not in repr(TranscriptionSettings.model_validate({"openai_api_key": "s3cret"}))
