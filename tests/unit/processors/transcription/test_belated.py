"""Sound that Zoom sent after a tick had said that there was none: it was held up for a moment."""

import random
from collections.abc import Sequence

import pytest

from processors.checkpoint.sessions import Session
from processors.checkpoint.windows import Entry
from processors.transcription.logic import AUDIO, BELATED_MS, TranscriptionLogic
from processors.transcription.works import SpeechWork
from schemas.records import Audio, MediaRecord
from tests.support.captioned import fed
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.spoken import START_MS as T
from tests.support.spoken import Microphone, begin, end, frames, silence, tick, topic, voice
from tests.unit.processors.transcription.test_logic import identify, troubled_session

SESSION = "app_0000000000000001"
UNTIL_MS = T + 20_000


def heard(records: Sequence[MediaRecord]) -> list[tuple[int, int, bytes]]:
    """Start and end (ms after T) and the sound of each utterance of a session."""
    works = fed([begin(SESSION, T), *records, end(SESSION, UNTIL_MS)], topic(SESSION, [], until_ms=UNTIL_MS))
    speech = [work.speech for work in works if isinstance(work, SpeechWork)]
    return [(one.start_ms - T, one.end_ms - T, one.pcm or b"") for one in speech]


def held_up(records: Sequence[Audio], at_ms: int, through_ms: int) -> list[MediaRecord]:
    """The same, with a tick before all that is of `at_ms` or later, although there is sound of its time."""
    before = [record for record in records if record.timestamp_ms < at_ms]
    return [*before, tick(SESSION, through_ms), *records[len(before) :]]


def test_a_first_word_is_whole_although_a_tick_denied_it() -> None:
    word = frames(SESSION, [Microphone(1, T + 5000, voice(1500) + silence(1000))])
    in_time = heard([tick(SESSION, T + 4900), *word])
    assert in_time[0][:2] == (5000, 6500)
    assert heard([tick(SESSION, T + 4900), *held_up(word, T + 5000, T + 5000 + BELATED_MS)]) == in_time


def test_a_tick_that_ends_no_utterance_changes_nothing() -> None:
    speech = frames(SESSION, [Microphone(1, T, voice(3000))])
    assert heard(held_up(speech, T + 1000, T + 1500)) == heard(speech) == [(0, 3000, voice(3000) + silence(100))]


def test_a_tick_that_ended_an_utterance_costs_no_sound() -> None:
    """It was believed, so the text of what came before is there; the rest is another utterance, and not a short one."""
    first, second = heard(held_up(frames(SESSION, [Microphone(1, T, voice(3000))]), T + 1000, T + 1900))
    assert first[:2] == (0, 1000)
    assert second[:2] == (1000, 3000)
    assert (first[2], second[2]) == (
        voice(3000)[: 2 * 16_000] + silence(100),
        voice(3000)[2 * 16_000 :] + silence(100),
    )


def test_no_final_waits_for_what_is_belated() -> None:
    session = Session(SESSION, TranscriptionLogic())
    rows = [begin(SESSION, T), *frames(SESSION, [Microphone(1, T, voice(1000))])]
    for offset, record in enumerate(rows):
        assert not session.feed(AUDIO, offset, record)
    assert not session.feed(AUDIO, len(rows), tick(SESSION, T + 1539))
    assert len(session.feed(AUDIO, len(rows) + 1, tick(SESSION, T + 1540))) == 1


def test_what_comes_later_still_or_out_of_its_order_is_late() -> None:
    def late_of(*records: MediaRecord) -> int:
        session = Session(SESSION, TranscriptionLogic())
        for offset, record in enumerate([begin(SESSION, T), *records]):
            session.feed(AUDIO, offset, record)
        return session.fold(AUDIO).late

    first, second = frames(SESSION, [Microphone(1, T + 1000, voice(200))])
    assert late_of(tick(SESSION, T + 1000 + BELATED_MS), first, second) == 0
    assert late_of(tick(SESSION, T + 1001 + BELATED_MS), first, second) == 1
    assert late_of(tick(SESSION, T + 1500), second, first) == 1
    assert late_of(second, first) == 0


def with_hold_ups(rng: random.Random, session_id: str) -> dict[str, list[MediaRecord]]:
    """A session with all other trouble, in which ticks are early: most in the middle of speech or at its beginning."""
    topics = troubled_session(rng, session_id)
    rows: list[MediaRecord] = []
    for record in topics[AUDIO]:
        if isinstance(record, Audio) and rng.random() < 0.08:
            rows.append(tick(session_id, record.timestamp_ms + rng.choice((100, 400, 600, 900, 1300)), record.epoch))
        rows.append(record)
    return topics | {AUDIO: rows}


def is_troubled(seed: int) -> bool:
    meetings = {"app_0": with_hold_ups(random.Random(seed), "app_0")}
    expected = undisturbed(TranscriptionLogic(), meetings, identify)
    return bool(faults(simulate(TranscriptionLogic(), meetings, identify, seed, Trouble(crash_rate=0.02)), expected))


@pytest.mark.parametrize("seed", range(4))
def test_crashes_change_nothing_of_what_is_belated(seed: int) -> None:
    assert not is_troubled(seed)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs are so slow that most is decided long after it was told."""
    monkeypatch.setattr("processors.checkpoint.sessions.MAX_PENDING", 1)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("seed", range(4))
def test_a_tick_is_believed_whenever_it_is_looked_at(seed: int) -> None:
    assert not is_troubled(seed)


@pytest.mark.usefixtures("slow")
def test_the_simulation_finds_who_forgets_what_a_tick_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entry, "is_belated", False)
    assert any(map(is_troubled, range(10)))
