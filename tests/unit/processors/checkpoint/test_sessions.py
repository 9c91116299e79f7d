"""One session: what a state may promise, and that whoever begins with it completes it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.checkpoint.sessions import Session, SessionKey, Window
from processors.checkpoint.states import State, join
from processors.checkpoint.windows import Cut, Progress
from schemas.records import MediaRecord
from tests.support.toy_processor import (
    AUDIO,
    CAPTIONS,
    VIDEO,
    ToyLogic,
    batch,
    control,
    frame,
    holes,
    identify,
    meeting,
)

KEY = SessionKey(0, "s")
Rows = dict[str, list[MediaRecord]]


class Play:
    """A session, what it put out, and how far each topic was fed."""

    def __init__(self, rows: Rows, state: State | None = None, logic: ToyLogic | None = None) -> None:
        self.session = Session(KEY, logic or ToyLogic(), state)
        self.rows = rows
        self.open: list[Window] = []
        self.outputs: dict[str, object] = {}

    @property
    def unfed(self) -> list[str]:
        return [topic for topic, records in self.rows.items() if self.session.next[topic] < len(records)]

    def feed(self, topic: str) -> None:
        offset = self.session.next[topic]
        self.open += self.session.feed(topic, offset, self.rows[topic][offset], 1)

    def finish(self, index: int) -> None:
        window = self.open.pop(index)
        self.write(window)
        self.open += self.session.done(window)

    def write(self, window: Window) -> None:
        item_id, content = identify("s", window.work)
        assert item_id not in self.outputs
        self.outputs[item_id] = content

    def to_the_end(self, rng: random.Random) -> dict[str, object]:
        self.open += self.session.advance()
        while self.unfed or self.open:
            if self.unfed and (not self.open or rng.random() < 0.6):
                self.feed(rng.choice(self.unfed))
            else:
                self.finish(rng.randrange(len(self.open)))
        return self.outputs


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_a_state_never_decreases_and_a_successor_completes_what_it_left(seed):
    rng = random.Random(seed)
    rows = meeting(rng, "s", 12)
    play, expected, before = Play(rows), batch("s", rows) | holes("s", rows), State()
    for _ in range(rng.randrange(1, 150)):
        if play.open and rng.random() < 0.5:
            play.finish(rng.randrange(len(play.open)))
        elif play.unfed:
            play.feed(rng.choice(play.unfed))
        state = play.session.state()
        assert join(before, state) == state
        before = state
    assert State.from_json(before.to_json()) == before
    successor = Play(rows, State.from_json(before.to_json())).to_the_end(rng)
    assert successor.items() <= expected.items()
    assert play.outputs | successor == expected


def speech(*times_ms: int) -> list[MediaRecord]:
    return [frame("s", AUDIO, n, ms, participant_id=3, voiced=True) for n, ms in enumerate(times_ms, 1)]


def fed(session: Session, topic: str, *records: MediaRecord) -> list[Window]:
    return [w for record in records for w in session.feed(topic, session.next[topic], record, 1)]


def test_progress_moves_over_windows_that_are_done_without_a_gap():
    session = Session(KEY, ToyLogic())
    fed(session, VIDEO, control("s", "end", 0, 0))
    first, second = fed(session, AUDIO, *speech(1000, 2000, 3000))
    session.done(second)
    assert session.state().progress == {}
    assert session.state().marks[AUDIO].offset == 0
    session.done(first)
    assert session.state().progress == {"voice-3": Progress(2001, 2001, 2)}
    assert session.state().marks[AUDIO].offset == 2


def test_the_last_output_waits_for_all_others_and_for_all_ends():
    session = Session(KEY, ToyLogic())
    fed(session, VIDEO, control("s", "end", 0, 0))
    (window,) = fed(session, AUDIO, *speech(1000), control("s", "end", 2, 1000))
    (caption,) = fed(session, CAPTIONS, frame("s", CAPTIONS, 1, 1000), control("s", "end", 2, 1000))
    assert session.done(window) == []
    (final,) = session.done(caption)
    assert final.is_final
    assert not session.state().finished
    assert session.done(final) == []
    assert session.state().finished
    assert session.advance() == []


def test_the_first_end_counts_and_what_follows_is_ignored():
    session = Session(KEY, ToyLogic())
    fed(session, CAPTIONS, control("s", "end", 1, 1000))
    before = session.state().marks[CAPTIONS].fold
    assert fed(session, CAPTIONS, frame("s", CAPTIONS, 2, 2000), control("s", "begin", 0, 3000, epoch=9)) == []
    assert session.state().marks[CAPTIONS].fold == before
    assert session.next[CAPTIONS] == 3


def test_an_older_epoch_says_nothing_after_a_begin_not_even_that_it_is_over():
    session = Session(KEY, ToyLogic())
    fed(session, CAPTIONS, control("s", "begin", 0, 1000, epoch=9))
    assert fed(session, CAPTIONS, frame("s", CAPTIONS, 5, 1000, epoch=7), control("s", "end", 6, 1000, epoch=7)) == []
    fold = session.state().marks[CAPTIONS].fold
    assert (fold.stale, fold.ended) == (2, False)


def test_an_unknown_kind_is_counted_and_skipped():
    session = Session(KEY, ToyLogic())
    assert fed(session, CAPTIONS, control("s", "unknown", 1, 1000)) == []
    assert session.state().marks[CAPTIONS].fold.unknown == 1


def test_a_repeated_frame_is_in_its_window_once():
    session = Session(KEY, ToyLogic())
    fed(session, VIDEO, control("s", "end", 0, 0))
    (one,) = speech(1000)
    (window,) = fed(session, AUDIO, one, one, *speech(2000))
    assert identify("s", window.work)[1] == (1, ((1000, "Audio", 7, 1),))


def test_held_bytes_fall_when_windows_are_cut():
    session = Session(KEY, ToyLogic())
    fed(session, AUDIO, *speech(1000, 1100))
    assert session.held_bytes() == {AUDIO: 2}
    fed(session, VIDEO, control("s", "end", 0, 0))
    fed(session, AUDIO, *speech(1000, 1100, 9000)[2:])
    assert session.held_bytes() == {AUDIO: 1}


class StandingStill(ToyLogic):
    def cut(self, track, watermark_ms):
        return Cut(track.progress, None)


class LeavingEntries(ToyLogic):
    def cut(self, track, watermark_ms):
        return watermark_ms + 1


def test_a_cut_that_does_not_move_on_is_an_error_not_a_loop():
    session = Session(KEY, StandingStill())
    with pytest.raises(ValueError, match="must move on"):
        fed(session, AUDIO, *speech(1000))


def test_entries_left_at_the_end_are_an_error_not_a_loss():
    session = Session(KEY, LeavingEntries())
    fed(session, AUDIO, *speech(1000), control("s", "end", 2, 1000))
    fed(session, VIDEO, control("s", "end", 0, 0))
    with pytest.raises(ValueError, match="left entries behind"):
        fed(session, CAPTIONS, control("s", "end", 0, 0))


class WithoutLastWord(ToyLogic):
    """An application that wants nothing of the session."""

    def track(self, topic, part, record):
        return None

    def final(self, folds, progress):
        return None


def test_a_session_may_end_without_any_output():
    session = Session(KEY, WithoutLastWord())
    for topic in (AUDIO, VIDEO, CAPTIONS):
        assert fed(session, topic, *speech(1000)[: topic == AUDIO], control("s", "end", 2, 1000)) == []
    assert session.state().finished


def test_what_a_loaded_state_covers_is_not_fed_again():
    session = Session(KEY, ToyLogic())
    (window,) = fed(session, CAPTIONS, frame("s", CAPTIONS, 1, 1000))
    session.done(window)
    again = Session(KEY, ToyLogic(), session.state())
    assert again.feed(CAPTIONS, 0, frame("s", CAPTIONS, 1, 1000)) == []
    assert again.state() == session.state()
