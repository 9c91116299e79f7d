"""Captions of any meeting: no word is lost, doubled or left that was taken back, whoever dies when."""

import random
from collections.abc import Hashable, Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processors.checkpoint.folds import Json
from processors.checkpoint.windows import Observed
from processors.transcription.caption_lines import MOST_MS, CaptionWork, Unmet
from processors.transcription.logic import AUDIO, CAPTIONS, TranscriptionLogic
from processors.transcription.works import caption_utterance
from schemas.records import Caption, MediaRecord
from schemas.settings import SessionSettings
from tests.support.captioned import MERGED, PLAIN, T, said, texts, utterances
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.spoken import begin, end, topic

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
@example([(1, 0, 0, "new")] * 17 + [(2, 0, 0, "new")])
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
