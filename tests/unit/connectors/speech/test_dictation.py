"""What is told of an utterance while it is spoken, and what of it counts in the end."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.speech.deepgram_live import DeepgramLive
from connectors.speech.dictation import MAX_STRETCHES, TOLERANCE_S, UNTOLD_S, Counted, Dictated, Opening, Said
from connectors.speech.exchange import Failure, NoAnswer, Word
from schemas.transcription_codes import Reason
from tests.support.deepgram_live import WORD_S, words_between

LIVE = DeepgramLive("https://api.deepgram.com", "k3y")


def opened(service: DeepgramLive = LIVE, **options: object) -> Opening:
    opening = service.opening(16_000, options)
    assert isinstance(opening, Opening)
    return opening


def asked(**options: object) -> dict[str, list[str]]:
    return parse_qs(urlsplit(opened(**options).url).query)


def said(from_s: float, until_s: float, *, is_final: bool = True) -> Said:
    words = tuple(Word(w["word"], w["start"], w["end"]) for w in words_between(from_s, until_s, guess=not is_final))
    return Said(" ".join(word.text for word in words), words, from_s, until_s, is_final)


def dictated(*told: Said | Counted) -> Dictated:
    found = Dictated("en", "nova-3")
    for one in told:
        found.hear(one)
    return found


def test_it_is_opened_as_the_reference_says() -> None:
    opening = opened()
    assert opening.url.startswith("wss://api.deepgram.com/v1/listen?")
    assert opening.headers == {"Authorization": "Token k3y"}
    assert "k3y" not in repr(opening)
    assert (opening.language, opening.model) == (None, "nova-3")
    assert asked() == {
        "model": ["nova-3"], "language": ["multi"], "smart_format": ["true"], "encoding": ["linear16"],
        "sample_rate": ["16000"], "channels": ["1"], "interim_results": ["true"], "endpointing": ["false"],
    }  # fmt: skip


def test_the_sessions_wishes_go_along_and_what_is_none_of_deepgrams_does_not() -> None:
    query = asked(language="de", keyterms=["Ada", "Bo"], redact=["pci"], partials=True, model="nova-2")
    assert (query["language"], query["keyterm"], query["redact"], query["model"]) == (
        ["de"], ["Ada", "Bo"], ["pci"], ["nova-2"],
    )  # fmt: skip
    assert "partials" not in query
    assert (opened(language="zh-CN").model, opened(language="de").language) == ("nova-2", "de")


@pytest.mark.parametrize(
    ("base", "options", "server"),
    [("https://api.deepgram.com", {"use_eu_server": True}, "wss://api.eu.deepgram.com/"),
     ("http://deepgram.house:8080/", {"use_eu_server": True}, "ws://deepgram.house:8080/"),
     ("https://deepgram.house", {}, "wss://deepgram.house/")],
)  # fmt: skip
def test_it_is_asked_where_the_other_way_is(base: str, options: dict[str, object], server: str) -> None:
    assert opened(DeepgramLive(base, "k3y"), **options).url.startswith(f"{server}v1/listen?")


@pytest.mark.parametrize(
    ("key", "reason"),
    [("", Reason.CREDENTIALS_NOT_FOUND), ("k\r\nX: y", Reason.CREDENTIALS_INVALID),
     ("kéy", Reason.CREDENTIALS_INVALID)],
)  # fmt: skip
def test_a_key_that_is_none_is_not_tried(key: str, reason: Reason) -> None:
    assert LIVE.keyed(key).opening(16_000, {}) == Failure(reason, is_final=True)


RESULTS: dict[str, Any] = {
    "type": "Results", "channel_index": [0, 1], "start": 1.0, "duration": 2.5, "is_final": True, "speech_final": False,
    "channel": {"alternatives": [{"transcript": " It was. ", "confidence": 0.9, "words": [
        {"word": "it", "start": 1.1, "end": 1.3, "punctuated_word": "It"},
        {"word": "was", "start": 1.3, "end": 2.0}]}]},
}  # fmt: skip


def test_results_say_what_was_said_and_until_when() -> None:
    words = (Word("It", 1.1, 1.3), Word("was", 1.3, 2.0))
    assert LIVE.told(json.dumps(RESULTS)) == Said("It was.", words, 1.0, 3.5, is_final=True)
    assert LIVE.told(json.dumps(RESULTS | {"is_final": False})) == Said("It was.", words, 1.0, 3.5, is_final=False)


@pytest.mark.parametrize("kind", ["SpeechStarted", "UtteranceEnd", "Warning", "of tomorrow"])
def test_what_else_is_told_does_not_matter(kind: str) -> None:
    assert LIVE.told(json.dumps({"type": kind, "channel": [0, 1], "last_word_end": 2.0})) is None


@pytest.mark.parametrize(
    "message",
    [b"{}", "", "{", "[]", "{}", '{"type": 7}', '{"type": "Error", "description": "no"}', '{"type": "Results"}',
     json.dumps(RESULTS | {"channel": {"alternatives": []}}), json.dumps(RESULTS | {"channel": [0, 1]}),
     json.dumps(RESULTS | {"start": "soon"}),
     json.dumps(RESULTS | {"start": -1e308}), json.dumps(RESULTS | {"duration": 1e308}),
     json.dumps(RESULTS | {"duration": -0.5}), json.dumps(RESULTS).replace("2.5", "NaN"),
     json.dumps(RESULTS).replace("2.5", "1e999"), '{"type": "Metadata", "duration": -1}',
     json.dumps(RESULTS | {"channel": {"alternatives": [{"transcript": "x" * 30_000}]}}),
     '{"type": "Metadata"}', "[" * 100_000],
    ids=lambda message: str(message)[:30],
)  # fmt: skip
def test_what_is_no_answer_is_none(message: str | bytes) -> None:
    with pytest.raises(NoAnswer):
        LIVE.told(message)


def test_words_that_cannot_be_are_not_kept() -> None:
    words = [{"word": "x", "start": 2.0, "end": 1.0}] * 5_000
    told = LIVE.told(json.dumps(RESULTS | {"channel": {"alternatives": [{"transcript": "", "words": words}]}}))
    assert told == Said("", (), 1.0, 3.5, is_final=True)


def test_a_stretch_may_change_until_it_is_final() -> None:
    found = dictated(said(0, 1.0, is_final=False))
    assert (found.so_far().text, found.covered_s) == ("one two um", 1.0)
    found.hear(said(0, 1.6, is_final=False))
    assert found.so_far().text == "one two three um"
    found.hear(said(0, 2.0))
    found.hear(said(2.0, 2.4, is_final=False))
    assert (found.so_far().text, found.covered_s) == ("one two three four five um", 2.4)
    assert (found.so_far().language, found.so_far().model) == ("en", "nova-3")


def test_it_is_whole_when_all_of_it_was_heard_and_nothing_is_open() -> None:
    all_of_it = dictated(said(0, 2.0), said(2.0, 3.0), Counted(3.0)).whole(3.0, 3.0)
    assert all_of_it is not None
    assert all_of_it.text == "one two three four five six seven eight"
    assert dictated(said(0, 3.0), Counted(3.0 - TOLERANCE_S / 2)).whole(3.0, 3.0) is not None
    for told in (
        [said(0, 3.0)],
        [said(0, 3.0), Counted(3.0 - 2 * TOLERANCE_S)],
        [said(0, 2.0), said(2.0, 3.0, is_final=False), Counted(3.0)],
    ):
        assert dictated(*told).whole(3.0, 3.0) is None


@pytest.mark.parametrize(
    "told",
    [[said(0, 1.6), said(0, 1.6), said(1.6, 3.0)], [said(0, 1.6), said(1.2, 3.0)], [said(0, 1.0), said(2.0, 3.0)],
     [said(1.0, 3.0)], [said(0, 2.0)], [said(0, 2.0), said(2.0, 3.0), said(0, 2.0)], []],
    ids=["repeated", "overlapping", "a hole", "no beginning", "no end", "out of order", "nothing"],
)  # fmt: skip
def test_what_was_told_twice_or_not_at_all_is_not_believed_whatever_was_counted(told: list[Said]) -> None:
    assert dictated(*told, Counted(3.0)).whole(3.0, 3.0) is None


def test_a_pause_at_the_end_need_not_be_told() -> None:
    assert dictated(said(0, 3.0 - UNTOLD_S), Counted(3.0)).whole(3.0, 3.0) is not None


def test_silence_need_not_be_final() -> None:
    pause = Said("", (), 2.0, 3.0, is_final=False)
    found = dictated(said(0, 2.0), pause, Counted(3.0)).whole(3.0, 3.0)
    assert found is not None
    assert found.text == "one two three four five"


def test_no_word_at_all_is_an_answer() -> None:
    silent = dictated(Said("", (), 0.0, 3.0, is_final=True), Counted(3.0)).whole(3.0, 3.0)
    assert silent is not None
    assert (silent.text, silent.words) == ("", ())


def test_what_was_told_too_much_is_cut_off_between_two_words() -> None:
    cut = dictated(said(0, 4.0), Counted(4.0)).whole(2.0, 4.0)
    assert cut is not None
    assert cut.text == "one two three four five"
    assert len(cut.words) == 5


def test_a_language_without_spaces_has_none_between_stretches_either() -> None:
    words = (Word("これは", 0.0, 1.0), Word("テスト", 1.0, 1.8), Word("です。", 2.1, 3.0), Word("はい", 3.2, 3.9))
    first = Said("これはテスト", words[:2], 0.0, 2.0, is_final=True)
    second = Said("です。はい", words[2:], 2.0, 4.0, is_final=True)
    found = dictated(first, second, Counted(4.0))
    whole, cut = found.whole(4.0, 4.0), found.whole(3.0, 4.0)
    assert whole is not None
    assert cut is not None
    assert (whole.text, cut.text, cut.words) == ("これはテストです。はい", "これはテストです。", words[:3])


def test_a_text_with_spaces_that_its_script_has_not_is_cut_all_the_same() -> None:
    words = (Word("これは", 0.0, 1.0), Word("テスト", 1.0, 1.8), Word("です。", 2.1, 3.9))
    spaced = Said("これは テスト です。", words, 0.0, 4.0, is_final=True)
    cut = dictated(spaced, Counted(4.0)).whole(2.0, 4.0)
    assert cut is not None
    assert (cut.text, cut.words) == ("これはテスト", words[:2])


def test_a_text_that_is_not_its_words_cannot_be_cut() -> None:
    formatted = Said("12 45", (Word("twelve", 0.0, 1.0), Word("45", 1.0, 3.0)), 0.0, 4.0, is_final=True)
    assert dictated(formatted, Counted(4.0)).whole(2.0, 4.0) is None
    assert dictated(formatted, Counted(4.0)).whole(4.0, 4.0) is not None


@given(st.lists(st.floats(0.1, 3.0), min_size=1, max_size=6), st.lists(st.integers(0, 3), min_size=6, max_size=6),
       st.floats(0.2, 1.0))  # fmt: skip
def test_however_it_is_told_the_words_are_those_of_the_sound(
    lengths: Sequence[float], guesses: Sequence[int], share: float
) -> None:
    found, at_s = Dictated(), 0.0
    for length_s, count in zip(lengths, guesses, strict=False):
        for step in range(count):
            found.hear(said(at_s, at_s + length_s * (step + 1) / (count + 1), is_final=False))
        found.hear(said(at_s, at_s := at_s + length_s))
    found.hear(Counted(at_s))
    whole, cut = found.whole(at_s, at_s), found.whole(share * at_s, at_s)
    assert whole is not None
    assert cut is not None
    assert [word.start_s for word in whole.words] == [w["start"] for w in words_between(0.0, at_s)]
    assert cut.words == whole.words[: len(cut.words)]
    assert all((word.start_s < share * at_s) for word in cut.words)
    assert len(cut.words) >= int(share * at_s / WORD_S)


def test_nobody_can_tell_without_end() -> None:
    found = dictated(*(Said("", (), 0.0, 1.0, is_final=True) for _ in range(MAX_STRETCHES)))
    with pytest.raises(NoAnswer):
        found.hear(said(0, 1.0))
    with pytest.raises(NoAnswer):
        dictated(Said("x" * 30_000, (), 0.0, 1.0, is_final=False)).so_far()
