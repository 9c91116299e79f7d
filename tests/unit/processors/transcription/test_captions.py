"""Which utterances captions are: known by who began to speak when, merged by Zoom's clock, the same in every run."""

import json
import random
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.checkpoint.folds import Json
from processors.checkpoint.sessions import Session
from processors.checkpoint.windows import Observed
from processors.transcription import captions as module
from processors.transcription.caption_lines import GAP_MS, MOST_CHARACTERS, MOST_MS, CaptionWork, Unmet
from processors.transcription.captions import MOST_OPEN, REMEMBERED, REMEMBERED_MERGED, WAIT_MS, Captions
from processors.transcription.logic import AUDIO, CAPTIONS, TranscriptionLogic
from processors.transcription.works import EndWork, caption_utterance
from schemas.records import Caption, MediaRecord, RecordKind, Utterance
from schemas.settings import Engine, SessionSettings
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.spoken import START_MS, begin, end, tick, topic

SESSION = "app_0000000000000001"
T = START_MS
PLAIN = SessionSettings(engines=(Engine.ZOOM,))
MERGED = replace(PLAIN, engine_options='{"zoom":{"merge_consecutive_captions":true}}')


def said(text: str, from_ms: int, to_ms: int, who: int = 1, operation: str = "new", **others: Any) -> Caption:
    """A caption, `from_ms` and `to_ms` after T; its sequence is set where it is put on a topic."""
    return Caption(
        session_id=SESSION, kind=RecordKind.FRAME, participant_id=who, participant_name=f"Speaker {who}", epoch=1,
        sequence=0, arrived_us=0, text=text, operation=operation,
        **{"timestamp_ms": T + from_ms, "start_ms": T + from_ms, "end_ms": T + to_ms, "language": 9} | others,
    )  # fmt: skip


def numbered(rows: Sequence[MediaRecord]) -> list[MediaRecord]:
    """With sequence numbers as they are given when records come off the socket."""
    return [replace(row, sequence=at) if row.kind is RecordKind.FRAME else row for at, row in enumerate(rows)]


def works(rows: Sequence[MediaRecord], settings: SessionSettings = PLAIN) -> list[object]:
    session = Session(SESSION, TranscriptionLogic())
    audio: list[MediaRecord] = [begin(SESSION, T, settings=settings), end(SESSION, T)]
    captions = [
        begin(SESSION, T, settings=settings),
        *numbered(rows),
        end(SESSION, T + 600_000, 1 + 6 * any(row.epoch > 1 for row in rows)),
    ]
    found: list[object] = []
    for name, records in ((AUDIO, audio), (CAPTIONS, captions)):
        for offset, record in enumerate(records):
            windows = session.feed(name, offset, record)
            while windows:
                window = windows.pop(0)
                found.append(window.work)
                windows += session.done(window)
    assert session.is_finished
    return found


def utterances(rows: Sequence[MediaRecord], settings: SessionSettings = PLAIN) -> list[Utterance]:
    """What is written, in order; the end announces as many as there are ids."""
    found = works(rows, settings)
    written = [caption_utterance(work) for work in found if isinstance(work, CaptionWork)]
    assert found[-1] == EndWork(len({one.utterance_id for one in written}))
    return written


def texts(written: Sequence[Utterance]) -> list[str]:
    """The transcript of somebody who keeps the highest revision of each id."""
    newest: dict[str, Utterance] = {}
    for one in written:
        if one.utterance_id not in newest or one.revision > newest[one.utterance_id].revision:
            newest[one.utterance_id] = one
    return [one.text for one in sorted(newest.values(), key=lambda one: one.start_ms) if one.text]


def unmet(rows: Sequence[MediaRecord], settings: SessionSettings = PLAIN) -> list[str]:
    return [work.outcome for work in works(rows, settings) if isinstance(work, Unmet)]


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


def test_two_captions_of_one_moment_are_two() -> None:
    both = utterances([GOOD, replace(GOOD, text="Hello.")])
    assert [one.text for one in both] == ["Good mourning.", "Hello."]
    assert len({one.utterance_id for one in both}) == 2


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


# --- any meeting ------------------------------------------------------------------------------------------------------

TURNS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(-1_500, 4_000),
        st.integers(0, 6_000),
        st.sampled_from(["new"] * 6 + ["update", "update", "delete"]),
    ),
    min_size=1,
    max_size=40,
)


def meeting(turns: Sequence[tuple[int, int, int, str]]) -> tuple[list[Caption], dict[tuple[int, int], str]]:
    """Captions as they come, with corrections of earlier ones; and by speaker and start what is said in the end."""
    clock = dict.fromkeys((1, 2, 3), 0)
    rows, left = list[Caption](), dict[tuple[int, int], str]()
    for number, (who, pause_ms, length_ms, operation) in enumerate(turns):
        known = [row for row in rows if (row.participant_id, row.start_ms) in left]
        if operation == "new" or not known:
            from_ms = max(clock[who] + max(pause_ms, 1), 1)
            clock[who] = from_ms + length_ms
            rows.append(said(f"w{number}", from_ms, clock[who], who))
        else:
            about = known[number % len(known)]
            text = f"w{number}" if operation == "update" else ""
            rows.append(replace(about, operation=operation, text=text))
        last = rows[-1]
        left[last.participant_id, last.start_ms] = last.text
        if not last.text:
            del left[last.participant_id, last.start_ms]
    return rows, left


@given(TURNS)
def test_whoever_keeps_the_highest_revision_has_the_transcript(turns: list[tuple[int, int, int, str]]) -> None:
    """Corrections refer to the last ones of a speaker or to any before; by the exact start all are found."""
    rows, left = meeting(turns)
    assert sorted(texts(utterances(rows))) == sorted(left.values())


@given(TURNS)
def test_merging_changes_no_word(turns: list[tuple[int, int, int, str]]) -> None:
    rows, left = meeting(turns)
    written = utterances(rows, MERGED)
    merged = [word for text in texts(written) for word in text.split()]
    assert sorted(merged) == sorted(left.values())
    firsts = [one for one in written if one.revision == 1]
    assert len({one.utterance_id for one in firsts}) == len(firsts), "told once"
    for one in written:
        assert " " not in one.text or one.end_ms - one.start_ms <= MOST_MS


# --- crashes ----------------------------------------------------------------------------------------------------------


def identify(session_id: str, work: object) -> tuple[str, Hashable]:
    if isinstance(work, CaptionWork):
        one = caption_utterance(work)
        return f"{session_id}/{one.utterance_id}/{one.revision}", one
    if isinstance(work, Unmet):
        return f"{session_id}/{work.outcome}", work
    return f"{session_id}/{type(work).__name__}", work  # the end, or a hole


def troubled(rng: random.Random, session_id: str, settings: SessionSettings) -> dict[str, list[MediaRecord]]:
    """Three speakers, corrections, a hand-over after which some is said again, a zombie's records."""
    turns = [
        (rng.randint(1, 3), rng.randint(-500, 2_500), rng.randint(200, 3_000),
         rng.choice(("new", "new", "new", "update", "delete"))) for _ in range(40)
    ]  # fmt: skip
    rows, _ = meeting(turns)
    moved = rng.randrange(10, 30)
    again = [replace(row, operation="new") for row in rows[moved - 3 : moved] if row.operation == "new"]
    old = [replace(row, session_id=session_id, sequence=at) for at, row in enumerate(rows[:moved])]
    new = [replace(row, session_id=session_id, epoch=9, sequence=at) for at, row in enumerate([*again, *rows[moved:]])]
    captions = topic(session_id, [*old, *new], until_ms=T + 200_000, settings=settings)
    for zombie in rng.sample(old, 3):
        captions.insert(rng.randrange(len(captions) // 2, len(captions)), zombie)
    audio: list[MediaRecord] = [begin(session_id, T, settings=settings), end(session_id, T + 200_000)]
    return {AUDIO: audio, CAPTIONS: captions}


@pytest.mark.parametrize("settings", [PLAIN, MERGED], ids=["plain", "merged"])
@pytest.mark.parametrize("seed", range(12))
def test_crashes_change_nothing(seed: int, settings: SessionSettings) -> None:
    rng = random.Random(seed)
    meetings = {name: troubled(rng, name, settings) for name in ("app_0", "app_1")}
    logic = TranscriptionLogic()
    expected = undisturbed(logic, meetings, identify)
    assert sum(item.count("utt_") for item in expected) > 10
    outcome = simulate(logic, meetings, identify, seed, Trouble(crash_rate=0.05))
    assert not faults(outcome, expected)
    assert outcome.crashes > 2


class Remembering(TranscriptionLogic):
    """Knows what this process has seen, and nothing of what its predecessor has."""

    def __init__(self) -> None:
        self._seen: dict[str, Json] = {}

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        kept = self._seen.get(record.session_id, {}) if part is not None and topic == CAPTIONS else {}
        observed = super().observe(topic, part if part is None else {**part, **kept}, record)
        if topic == CAPTIONS and "lines" in (observed.part or {}):
            self._seen[record.session_id] = {"lines": observed.part["lines"]}
        return observed


@pytest.mark.parametrize("settings", [PLAIN, MERGED], ids=["plain", "merged"])
def test_the_simulation_finds_a_memory_of_the_process(settings: SessionSettings) -> None:
    for seed in range(12):
        rng = random.Random(seed)
        meetings = {name: troubled(rng, name, settings) for name in ("app_0", "app_1")}
        expected = undisturbed(TranscriptionLogic(), meetings, identify)
        if faults(simulate(Remembering(), meetings, identify, seed, Trouble(crash_rate=0.05)), expected):
            return
    pytest.fail("twelve simulations found nothing wrong")


def test_constants_fit_each_other() -> None:
    assert module.MOST_REMEMBERED > MOST_CHARACTERS
    assert GAP_MS < WAIT_MS < MOST_MS
