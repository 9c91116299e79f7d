"""What answers of speech services mean."""

import pytest

from connectors.speech.exchange import (
    MAX_CHARACTERS,
    MAX_RETRY_AFTER_S,
    MAX_WORDS,
    Failure,
    NoAnswer,
    Word,
    failure,
    heard,
    wait_s,
)
from connectors.speech.languages import tag
from schemas.transcription_codes import Reason

NOW = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("status", "reason", "is_final"),
    [
        (400, Reason.TRANSCRIPTION_REQUEST_FAILED, True),
        (401, Reason.CREDENTIALS_INVALID, True),
        (403, Reason.CREDENTIALS_INVALID, True),
        (404, Reason.TRANSCRIPTION_REQUEST_FAILED, True),
        (408, Reason.TRANSCRIPTION_REQUEST_FAILED, False),
        (409, Reason.TRANSCRIPTION_REQUEST_FAILED, False),
        (413, Reason.AUDIO_UPLOAD_FAILED, True),
        (429, Reason.RATE_LIMIT_EXCEEDED, False),
        (500, Reason.TRANSCRIPTION_REQUEST_FAILED, False),
        (503, Reason.TRANSCRIPTION_REQUEST_FAILED, False),
        (204, Reason.TRANSCRIPTION_REQUEST_FAILED, True),
        (302, Reason.TRANSCRIPTION_REQUEST_FAILED, True),
    ],
)
def test_a_status_says_why_and_whether_to_ask_again(status: int, reason: Reason, is_final: bool) -> None:
    assert failure(status, {"Retry-After": "3"}) == Failure(reason, is_final, 0.0 if is_final else 3.0)


def test_a_good_answer_is_no_failure() -> None:
    assert failure(200, {"Retry-After": "3"}) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, 0), ("", 0), ("2", 2), ("0.5", 0.5), ("-4", 0), ("nan", 0), ("inf", 0), ("1e300", MAX_RETRY_AFTER_S),
     ("\u0662", 2), ("soon", 0)],
)  # fmt: skip
def test_waits_that_are_asked_for(header: str | None, expected: float) -> None:
    assert wait_s(header, NOW) == expected


@pytest.mark.parametrize(
    ("until", "now", "expected"),
    [
        ("Wed, 21 Oct 2026 07:28:07 GMT", NOW, 7),
        ("Wed, 21 Oct 2026 07:27:59 GMT", NOW, 0),
        ("Thu, 22 Oct 2026 07:28:00 GMT", NOW, MAX_RETRY_AFTER_S),
        ("Wed, 21 Oct 2026 07:28:07 GMT", None, 0),
        ("Wed, 21 Oct 2026 07:28:07 GMT", "now", 0),
        ("Wed, 21 Oct 2026 07:28:07 -0000", NOW, 0),
        ("Wed, 41 Oct 2026 07:28:07 GMT", NOW, 0),
        ("Wed, 21 Oct 99999999999999999999 07:28:07 GMT", NOW, 0),
    ],
)
def test_a_date_is_by_the_clock_of_who_says_it(until: str, now: str | None, expected: float) -> None:
    assert wait_s(until, now) == expected


def test_words_with_impossible_times_are_left_out() -> None:
    good = Word("a", 0.5, 0.5)
    bad = [Word("b", -0.1, 1), Word("c", 2, 1), Word("d", 0, float("inf")), Word("e", float("nan"), 1), Word(" ", 0, 1)]
    assert heard(" a ", [good, *bad], None, "m").words == (good,)
    assert heard(" a ", [], None, "m").text == "a"


def test_an_endless_language_is_none() -> None:
    assert heard("a", [], "de-CH", None).language == "de-CH"
    assert heard("a", [], "d" * 36, None).language is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("x" * (MAX_CHARACTERS + 1), []), ("x", [Word("y", 0, 1)] * (MAX_WORDS + 1)),
     ("x", [Word("y" * (MAX_CHARACTERS + 1), 0, 1)])],
    ids=["text", "words", "word"],
)  # fmt: skip
def test_what_nobody_can_have_said_is_unusable(text: str, words: list[Word]) -> None:
    with pytest.raises(NoAnswer):
        heard(text, words, None, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("english", "en"), ("English", "en"), ("de", "de"), ("en-US", "en-US"), ("klingon", None), ("", None),
     (None, None), ("x" * 99, None), ("e\n", None)],
)  # fmt: skip
def test_languages_by_name_and_tag(name: str | None, expected: str | None) -> None:
    assert tag(name) == expected
