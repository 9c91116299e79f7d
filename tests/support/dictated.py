"""What is asked about an utterance while it is spoken."""

from processors.transcription.engines import Question
from tests.support.spoken import voice

SOUND = voice(16_000)


def question(ms: int, utterance_id: str = "utt_1", project_id: str = "proj_a", rate_hz: int = 16_000) -> Question:
    """What is known of an utterance when `ms` of it are."""
    options = {"deepgram": {"language": "en", "partials": True}}
    return Question(SOUND[: 2 * rate_hz * ms // 1000], rate_hz, "en", options, "app_1", project_id, utterance_id)
