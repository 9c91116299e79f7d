"""Which utterances captions are: known by who began to speak when, merged by Zoom's clock, the same in every run."""

import json
from dataclasses import replace
from typing import Any

import pytest

from processors.checkpoint.folds import Json
from processors.transcription.caption_lines import GAP_MS, LONG_CHARACTERS, MOST_CHARACTERS, MOST_MS, CaptionWork
from processors.transcription.captions import MOST_OPEN, REMEMBERED, REMEMBERED_MERGED, WAIT_MS, Captions
from processors.transcription.logic import CAPTIONS, TranscriptionLogic
from schemas.records import Caption, MediaRecord
from schemas.settings import SessionSettings
from tests.support.captioned import MERGED, PLAIN, SESSION, T, numbered, said, texts, unmet, utterances
from tests.support.spoken import begin, end, tick

GOOD = said("Good mourning.", 0, 2_200)
NEXT = said("Shall we begin?", 2_500, 4_000)


def test_a_correction_is_a_revision_of_the_utterance() -> None:
    first, second, changed = utterances([GOOD, NEXT, replace(GOOD, text="Good morning.", operation="update")])
    assert (changed.utterance_id, changed.revision, changed.withdraws) == (first.utterance_id, 2, False)
    assert changed == replace(first, text="Good morning.", revision=2)
    assert second.utterance_id != first.utterance_id


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 1, "participant_name": None},
        {"end_ms": T + 2_900},
        {"start_ms": T + 40, "end_ms": T + 2_250},
        {"start_ms": T - 900, "end_ms": T + 100, "timestamp_ms": T + 2_300},
        {"start_ms": 0, "end_ms": 0},
    ],
    ids=["as_it_was", "longer", "another_start", "elsewhere", "no_times_of_its_own"],
)
def test_what_a_correction_is_about_is_found_by_its_times(changes: dict[str, Any]) -> None:
    correction = replace(GOOD, text="Good morning.", operation="update", **changes)
    first, _, changed = utterances([GOOD, NEXT, correction])
    assert (changed.utterance_id, changed.start_ms, changed.revision) == (first.utterance_id, first.start_ms, 2)
    assert (changed.text, changed.participant_name) == ("Good morning.", "Speaker 1")
    assert not unmet([GOOD, NEXT, correction])


@pytest.mark.parametrize(
    "correction", [replace(GOOD, operation="delete", text=""), replace(GOOD, operation="update", text=" ")]
)
def test_what_zoom_deletes_has_no_words_any_more(correction: Caption) -> None:
    first, _, gone = utterances([GOOD, NEXT, correction])
    assert (gone.utterance_id, gone.revision, gone.withdraws) == (first.utterance_id, 2, True)
    assert not gone.text.strip()
    assert texts([first, gone]) == []


def test_revisions_grow_with_every_change_and_say_what_is_withdrawn() -> None:
    rows = [GOOD, NEXT, replace(NEXT, operation="update", text="Shall we start?"),
            replace(GOOD, operation="update", text="Good morning."), replace(NEXT, operation="delete")]  # fmt: skip
    written = utterances(rows)
    assert [one.revision for one in written] == [1, 1, 2, 3, 4]
    assert [one.withdraws for one in written] == [False] * 4 + [True]
    assert texts(written) == ["Good morning."]


def test_a_correction_that_changes_nothing_is_none() -> None:
    assert len(utterances([GOOD, replace(GOOD, operation="update"), NEXT])) == 2


def test_a_correction_of_what_never_came_is_a_caption_and_a_deletion_nothing() -> None:
    rows = [replace(GOOD, operation="update"), replace(NEXT, operation="delete")]
    [only] = utterances(rows)
    assert (only.text, only.revision) == ("Good mourning.", 1)
    assert unmet(rows) == ["as_new", "nothing"]


def test_another_speakers_words_are_not_touched() -> None:
    other = replace(GOOD, participant_id=2, text="Mourning?")
    first, second, changed = utterances([GOOD, other, replace(GOOD, operation="update", text="Good morning.")])
    assert changed.utterance_id == first.utterance_id != second.utterance_id


def test_a_correction_of_any_age_meets_its_utterance() -> None:
    """Also one that is long forgotten: its id comes from who spoke when."""
    later = [
        said(f"line {number}", 5_000 + 2_000 * number, 6_500 + 2_000 * number, 2) for number in range(3 * REMEMBERED)
    ]
    written = utterances([GOOD, *later, replace(GOOD, operation="delete")])
    assert (written[-1].utterance_id, written[-1].revision, written[-1].withdraws) == (written[0].utterance_id, 2, True)


def test_what_comes_again_over_another_connection_is_told_once() -> None:
    again = [replace(one, epoch=7) for one in (GOOD, NEXT)]
    rows: list[MediaRecord] = [GOOD, NEXT, begin(SESSION, T + 5_000, 7), *again]
    assert len(utterances(rows)) == 2


def test_what_comes_again_when_it_is_forgotten_counts_once() -> None:
    rows = [said(f"line {number}", 2_000 * number, 2_000 * number + 900) for number in range(3 * REMEMBERED)]
    again: list[MediaRecord] = [begin(SESSION, T + 200_000, 7), *(replace(row, epoch=7) for row in rows)]
    assert texts(utterances([*rows, *again])) == [row.text for row in rows]


@pytest.mark.parametrize("settings", [PLAIN, MERGED], ids=["plain", "merged"])
def test_who_was_heard_little_is_not_forgotten_with_who_talks_all_the_time(settings: SessionSettings) -> None:
    """A long caption comes when it is over, behind many short ones of others that began later."""
    most = REMEMBERED_MERGED if settings is MERGED else REMEMBERED
    rows = [said(f"line {number}", 3_000 * number, 3_000 * number + 900, 2) for number in range(1, 2 * most)]
    late = said("At last.", 3_100, 3_000 * most)
    update = said("Never came.", 3_200, 3_900, 3, "update")
    assert len(texts(utterances([*rows, late, update], settings))) == len(rows) + 2


def test_two_captions_of_one_moment_are_two_and_the_last_is_meant() -> None:
    rows = [GOOD, replace(GOOD, text="Hello."), replace(GOOD, operation="update", text="Hello!")]
    first, second, changed = utterances(rows)
    assert [one.text for one in (first, second)] == ["Good mourning.", "Hello."]
    assert first.utterance_id != second.utterance_id == changed.utterance_id


def test_what_is_said_in_two_languages_are_two_utterances_and_a_correction_is_of_its_own() -> None:
    """As with a translation: the same person, the same times."""
    german = replace(GOOD, language=14, text="Guten Morden.")
    rows = [GOOD, german, replace(GOOD, operation="update", text="Good morning.")]
    first, second, changed = utterances(rows)
    assert (changed.utterance_id, changed.language) == (first.utterance_id, "en")
    assert texts([first, second, changed]) == ["Good morning.", "Guten Morden."]
    assert len(utterances([said("OK", 0, 900), said("OK", 0, 900, language=14)])) == 2


def test_a_correction_in_a_language_of_its_own_is_one_all_the_same() -> None:
    first, changed = utterances([GOOD, replace(GOOD, operation="update", text="Good morning.", language=None)])
    assert (changed.utterance_id, changed.text) == (first.utterance_id, "Good morning.")


ABSURD = (1, 5_000, -T, T + 86_400_000, 4_102_444_799_999, 2**62)


@pytest.mark.parametrize("start_ms", [*ABSURD, T + 90_000])
def test_a_start_that_cannot_be_is_none(start_ms: int) -> None:
    [only] = utterances([replace(GOOD, timestamp_ms=T + 10, start_ms=start_ms)])
    assert (only.start_ms, only.end_ms) == (T + 10, GOOD.end_ms)


@pytest.mark.parametrize("end_ms", [*ABSURD, T - 1])
def test_an_end_that_cannot_be_is_none(end_ms: int) -> None:
    [only] = utterances([replace(GOOD, end_ms=end_ms)])
    assert (only.start_ms, only.end_ms) == (T, T)


@pytest.mark.parametrize("settings", [PLAIN, MERGED], ids=["plain", "merged"])
def test_one_absurd_time_spoils_nothing_that_is_said_later(settings: SessionSettings) -> None:
    """Not even once it is forgotten: the others are counted, and a correction of what never came is a caption."""
    most = REMEMBERED_MERGED if settings is MERGED else REMEMBERED
    rows = [replace(GOOD, start_ms=4_102_444_799_999)] + [
        said(f"line {number}", 3_000 * number, 3_000 * number + 900, 2) for number in range(1, 2 * most)
    ]
    update = said("Never came.", 900_000, 900_900, 3, "update")
    assert texts(utterances([*rows, update], settings))[-1] == "Never came."
    assert unmet([*rows, update], settings) == ["as_new"]


def test_a_state_from_before_there_were_corrections_goes_on() -> None:
    """One that an earlier release has written."""
    part: Json = {"engines": ["zoom"], "language": "en", "count": 3, "last": [1, 2]}
    observed = TranscriptionLogic().observe(CAPTIONS, part, replace(GOOD, sequence=3))
    assert [type(work) for work in observed.works] == [CaptionWork]
    assert observed.part["count"] == 4


# --- merged -----------------------------------------------------------------------------------------------------------


def speech(*pieces: tuple[str, int, int], who: int = 1) -> list[Caption]:
    return [said(text, from_ms, to_ms, who) for text, from_ms, to_ms in pieces]


SENTENCE = speech(("It was the", 0, 1_000), ("best of", 1_400, 2_400), ("times.", 3_400, 4_000))


def test_captions_of_one_who_goes_on_are_one_utterance() -> None:
    [only] = utterances(SENTENCE, MERGED)
    assert (only.text, only.revision, only.withdraws) == ("It was the best of times.", 1, False)
    assert (only.start_ms, only.end_ms, only.language, only.participant_name) == (T, T + 4_000, "en", "Speaker 1")
    assert only.utterance_id == utterances(SENTENCE)[0].utterance_id, "known by its first words"


def test_merged_words_stand_together_as_their_language_is_written() -> None:
    [line] = utterances(speech(("これは", 0, 1_000), ("テストです。", 1_200, 2_000)), MERGED)
    assert line.text == "これはテストです。"


def test_without_being_asked_nothing_is_merged() -> None:
    assert texts(utterances(SENTENCE)) == ["It was the", "best of", "times."]


@pytest.mark.parametrize(
    "last",
    [
        said("times.", 2_400 + GAP_MS + 1, 4_500),
        said("times.", 3_400, 4_000, language=13),
        said("times.", 3_400, 4_000, 2),
        said("times.", 3_400, MOST_MS + 1),
        said("t" * MOST_CHARACTERS, 3_400, 4_000),
        said("times.", 1_000, 1_300),
    ],
    ids=["after_a_pause", "in_another_language", "by_somebody_else", "for_too_long", "too_much", "from_before"],
)
def test_what_does_not_follow_is_an_utterance_of_its_own(last: Caption) -> None:
    assert len(utterances([*SENTENCE[:2], last], MERGED)) == 2


def test_who_speaks_meanwhile_is_not_in_the_way() -> None:
    rows = [SENTENCE[0], said("Yes.", 900, 1_300, 2), *SENTENCE[1:]]
    assert sorted(texts(utterances(rows, MERGED))) == ["It was the best of times.", "Yes."]


@pytest.mark.parametrize(("through_ms", "is_told"), [(WAIT_MS, False), (WAIT_MS + 3_400, True)])
def test_it_is_told_when_nothing_of_it_can_come_any_more(through_ms: int, is_told: bool) -> None:
    logic, part, found = TranscriptionLogic(), None, list[object]()
    for record in numbered([begin(SESSION, T, settings=MERGED), *SENTENCE, tick(SESSION, T + through_ms)]):
        observed = logic.observe(CAPTIONS, part, record)
        part = observed.part
        found += observed.works
    assert len(found) == is_told


def test_a_clock_that_is_fast_holds_nobody_up() -> None:
    ahead = said("I am early.", 3_000_000, 3_001_000, 2)
    logic, part, found = TranscriptionLogic(), None, list[object]()
    for record in numbered([begin(SESSION, T, settings=MERGED), ahead, *SENTENCE, tick(SESSION, T + 20_000)]):
        observed = logic.observe(CAPTIONS, part, record)
        part = observed.part
        found += observed.works
    assert len(found) == 2


def test_what_comes_again_when_it_is_forgotten_replaces_nothing() -> None:
    later = [
        said(f"line {number}", 9_000 + 3_000 * number, 9_900 + 3_000 * number)
        for number in range(2 * REMEMBERED_MERGED)
    ]
    written = texts(utterances([*SENTENCE, *later, SENTENCE[0]], MERGED))
    assert sorted(written[:2]) == ["It was the", "It was the best of times."]


def test_who_talks_without_end_is_told_in_pieces() -> None:
    rows = [said(f"word{number}", 500 * number, 500 * number + 400) for number in range(200)]
    written = utterances(rows, MERGED)
    assert " ".join(texts(written)) == " ".join(row.text for row in rows)
    assert all(one.end_ms - one.start_ms <= MOST_MS for one in written)
    assert len(written) == 5


def test_a_crowd_is_told_and_not_collected() -> None:
    rows = [said(f"I am {who}", 10 * who, 10 * who + 500, who) for who in range(1, 3 * MOST_OPEN)]
    captions = Captions(merges=True)
    for row in rows:
        captions.take(row)
    assert sum(not line.is_told for line in captions.lines) == MOST_OPEN
    assert len(utterances(rows, MERGED)) == len(rows)


LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    "rows",
    [
        [said(LONG, 10 * number, 10 * number + 5, number) for number in range(60)],
        [said("a", 10 * number, 10 * number + 5, 1 + number % 50) for number in range(2_000)],
        [said("a" * 1_990, 30_000 * number, 30_000 * number + 5, 1 + number % 50) for number in range(300)],
        [said(text, 0, 5, who, operation) for who in range(60) for text, operation in (("a", "new"), (LONG, "update"))],
        [said("a", 0, 5), *(said(LONG, 0, 5 + number, 1, "update") for number in range(20))],
    ],
    ids=["long", "in_bits", "wordy", "made_long", "made_long_again"],
)
def test_whatever_is_said_the_state_stays_small(rows: list[Caption]) -> None:
    """It is written with every checkpoint, as one record, and one that no topic takes would stop the processor."""
    captions = Captions(merges=True)
    for row in rows:
        captions.take(row)
        assert sum(len(piece[3]) for line in captions.lines for piece in line.pieces) < 100_000
        assert sum(len(line.pieces) for line in captions.lines) <= MOST_OPEN + REMEMBERED_MERGED


def test_who_says_too_much_does_not_make_the_others_forgotten() -> None:
    rows = [*SENTENCE, tick(SESSION, T + 20_000), said(LONG, 20_000, 21_000, 2)]
    *_, changed = utterances([*rows, replace(SENTENCE[1], operation="update", text="worst of")], MERGED)
    assert (changed.text, changed.revision) == ("It was the worst of times.", 2)


def test_each_language_is_merged_by_itself() -> None:
    german = [
        replace(one, text=text, language=14)
        for one, text in zip(SENTENCE, ("Es war", "die beste", "Zeit."), strict=True)
    ]
    both = [one for pair in zip(SENTENCE, german, strict=True) for one in pair]
    assert sorted(texts(utterances(both, MERGED))) == ["Es war die beste Zeit.", "It was the best of times."]


def test_a_correction_before_it_is_told_is_in_it() -> None:
    rows = [*SENTENCE, replace(SENTENCE[1], operation="update", text="worst of")]
    [only] = utterances(rows, MERGED)
    assert (only.text, only.revision) == ("It was the worst of times.", 1)
    assert texts(utterances([*SENTENCE, replace(SENTENCE[0], operation="delete")], MERGED)) == ["best of times."]
    assert utterances([SENTENCE[0], replace(SENTENCE[0], operation="delete")], MERGED) == []


def test_a_correction_after_it_was_told_is_a_revision_of_the_whole() -> None:
    told = [*SENTENCE, tick(SESSION, T + 60_000)]
    first, changed = utterances([*told, replace(SENTENCE[1], operation="update", text="worst of")], MERGED)
    assert changed == replace(first, text="It was the worst of times.", revision=2)
    rows = [*told, replace(SENTENCE[1], operation="delete"), replace(SENTENCE[0], operation="update", text="It was")]
    first, without, again = utterances(rows, MERGED)
    assert (without.text, without.revision, without.withdraws) == ("It was the times.", 2, True)
    assert (again.text, again.revision, again.withdraws) == ("It was times.", 3, True)
    *_, gone = utterances([*told, *(replace(piece, operation="delete") for piece in SENTENCE)], MERGED)
    assert (gone.text, gone.revision, gone.withdraws) == ("", 4, True)


def test_of_merged_words_only_so_many_are_remembered_and_none_after_the_end() -> None:
    rows = [said("word " * 40, 3_000 * number, 3_000 * number + 900) for number in range(4 * REMEMBERED_MERGED)]
    late = replace(rows[0], operation="update", text="other words")
    logic, part = TranscriptionLogic(), None
    for record in numbered([begin(SESSION, T, settings=MERGED), *rows, end(SESSION, T + 9_000_000)]):
        part = logic.observe(CAPTIONS, part, record).part
        assert len(json.dumps(part)) < REMEMBERED_MERGED * 400
    assert "word" not in json.dumps(part)
    assert unmet([*rows, late], MERGED) == ["forgotten"]
    assert not [one for one in utterances([*rows, late], MERGED) if one.revision > 1]


def test_constants_fit_each_other() -> None:
    assert 2 * MOST_CHARACTERS // LONG_CHARACTERS < REMEMBERED_MERGED
    assert GAP_MS < WAIT_MS < MOST_MS
