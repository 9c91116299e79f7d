"""What utterances are as records, whoever heard them."""

from dataclasses import replace

import pytest

from processors.sound.formats import AudioFormat
from processors.transcription.endpointing import Speech
from processors.transcription.recogniser import Recognised, Recognition, Segment, Unrecognised, Word
from processors.transcription.works import SpeechWork, partial_utterance, speech_utterance, withdrawal
from schemas.records import Codec, SpokenWord, UtteranceStatus
from schemas.settings import Engine

SESSION = "app_0000000000000001"
SPEECH = Speech(5_000, 6_500, AudioFormat(Codec.L16, 16_000, 1), b"", 1_980)
CHAIN = (Engine.OPENAI, Engine.DEEPGRAM, Engine.MOONSHINE)
WORK = SpeechWork(7, "Ada", "en", SPEECH, CHAIN)
HEARD = Recognised((Segment("hello you", 0, 1500),), (Word("hello", 40, 700), Word("you", 900, 1500)), "de", "m")


@pytest.mark.parametrize(
    ("by", "result"), [(Engine.OPENAI, HEARD), (Engine.MOONSHINE, Recognised(())), (Engine.OPENAI, Unrecognised("x"))]
)
def test_an_utterance_is_the_same_one_whoever_hears_it_and_whatever(by: Engine, result: Recognition) -> None:
    expected, found = speech_utterance(SESSION, WORK, HEARD), speech_utterance(SESSION, WORK, result, by)
    assert (found.utterance_id, found.engine, found.start_ms) == (expected.utterance_id, "openai", 5_000)


def test_who_stands_in_is_named() -> None:
    assert speech_utterance(SESSION, WORK, HEARD, Engine.OPENAI).recognised_by is None
    assert speech_utterance(SESSION, WORK, HEARD, Engine.DEEPGRAM).recognised_by == "deepgram"


def test_the_final_of_a_session_with_partials_stands_above_them_all() -> None:
    asked = replace(WORK, has_partials=True)
    partial, final = partial_utterance(SESSION, asked, HEARD), speech_utterance(SESSION, asked, HEARD)
    assert (partial.status, partial.revision) == (UtteranceStatus.PARTIAL, 1_980)
    assert (final.utterance_id, final.revision) == (partial.utterance_id, 1_981)
    assert final == replace(speech_utterance(SESSION, WORK, HEARD), revision=1_981)
    assert (partial.recognised_by, partial.engine) == (None, "openai"), "only the first is asked for them"
    taken_back = withdrawal(SESSION, asked)
    assert (taken_back.utterance_id, taken_back.status) == (partial.utterance_id, UtteranceStatus.PARTIAL)
    assert (taken_back.revision, taken_back.text) == (1_981, "")


def test_words_have_zooms_time() -> None:
    found = speech_utterance(SESSION, WORK, HEARD, Engine.OPENAI)
    assert found.words == (SpokenWord("hello", 5_040, 5_700), SpokenWord("you", 5_900, 6_500))
    assert (found.text, found.language, found.model) == ("hello you", "de", "m")


def test_who_failed_says_why_and_nothing_else() -> None:
    found = speech_utterance(SESSION, WORK, Unrecognised("timed_out"), Engine.OPENAI)
    assert (found.status, found.reason, found.text, found.words) == (UtteranceStatus.FAILED, "timed_out", "", ())
    assert found.language is None


def test_what_the_local_recogniser_hears_is_in_the_language_it_was_asked_for() -> None:
    local = SpeechWork(7, "Ada", "en", SPEECH)
    assert speech_utterance(SESSION, local, Recognised(())).language == "en"
    assert speech_utterance(SESSION, WORK, Recognised(()), Engine.MOONSHINE).language == "en"
