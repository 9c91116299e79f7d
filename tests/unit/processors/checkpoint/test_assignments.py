"""The book-keeping between two rebalances, case by case."""

import pytest

from processors.checkpoint.assignments import Assignment, Input, Stored, Unsaved
from processors.checkpoint.sessions import SessionKey, Window
from processors.checkpoint.states import join
from tests.support.broken_checkpoints import CommitsWhatOthersCover
from tests.support.toy_processor import AUDIO, CAPTIONS, VIDEO, ToyLogic, control, frame, identify

S = SessionKey(0, "s")
AUDIO_0, CAPTIONS_0 = Input(AUDIO, 0), Input(CAPTIONS, 0)


def assigned(name: str = "a", committed: int = 0, stored: tuple[Stored, ...] = ()) -> Assignment:
    return Assignment(ToyLogic(), name, {Input(topic, 0): committed for topic in ToyLogic.topics}, stored)


def caption(assignment: Assignment, offset: int) -> list[Window]:
    return assignment.feed(CAPTIONS_0, offset, "s", frame("s", CAPTIONS, offset + 1, 1000 + offset), 10)


def save(assignment: Assignment) -> list[str]:
    return [foreign for unsaved in assignment.unsaved() for foreign in assignment.saved(unsaved)]


def stored(unsaved: Unsaved, name: str) -> Stored:
    return Stored(unsaved.session, name, unsaved.state)


def test_offsets_are_fed_without_a_hole():
    assignment = assigned(committed=5)
    with pytest.raises(ValueError, match="continues at 5, not at 6"):
        caption(assignment, 6)
    assignment.skip(CAPTIONS_0, 5)
    caption(assignment, 6)
    assert assignment.next[CAPTIONS_0] == 7


def test_a_record_holds_the_commit_until_its_output_and_its_state_are_acknowledged():
    assignment = assigned()
    (window,) = caption(assignment, 0)
    save(assignment)
    assert assignment.committable()[CAPTIONS_0] == 0
    assignment.done(window)
    assert assignment.committable()[CAPTIONS_0] == 0
    save(assignment)
    assert assignment.committable()[CAPTIONS_0] == 1


def test_a_record_that_opens_no_window_holds_the_commit_until_a_state_covers_it():
    assignment = assigned()
    assignment.feed(AUDIO_0, 0, "s", control("s", "tick", 0, 1000), 10)
    assert assignment.committable()[AUDIO_0] == 0
    save(assignment)
    assert assignment.committable()[AUDIO_0] == 1


def test_nothing_waits_for_what_retention_took():
    """Whose video is deleted to its end: audio that waited for it paused the whole partition's, for good."""
    offsets = {Input(topic, 0): 0 for topic in ToyLogic.topics}
    assignment = Assignment(ToyLogic(), "a", offsets, (), {Input(VIDEO, 0): 9_000, Input(CAPTIONS, 0): 8_000})
    for offset, written_ms in enumerate((7_000, 8_000, 9_000)):
        assignment.feed(AUDIO_0, offset, "s", frame("s", AUDIO, offset, 1_000 * offset), 10)
        assignment.pass_over(AUDIO_0, "s", written_ms)
    waiting = assignment.leads().ahead[AUDIO_0]
    assignment.feed(AUDIO_0, 3, "s", control("s", "end", 3, 3_000), 10)
    windows = assignment.pass_over(AUDIO_0, "s", 7_999)
    while windows:
        windows += assignment.done(windows.pop())
    (unsaved,) = assignment.unsaved()
    assert (waiting, unsaved.state.finished) == (20, True)


def test_a_session_that_passed_over_something_goes_on_from_there():
    offsets = {Input(topic, 0): 0 for topic in ToyLogic.topics}
    assignment = Assignment(ToyLogic(), "a", offsets, (), {Input(VIDEO, 0): 9_000})
    states = []
    for offset in range(2):
        assignment.feed(AUDIO_0, offset, "s", frame("s", AUDIO, offset, 1_000 * offset), 10)
        states += [one.state for one in assignment.unsaved()]
        assignment.pass_over(AUDIO_0, "s", 7_000)
    states += [one.state for one in assignment.unsaved()]
    for joined in (join(states[0], states[-1]), join(states[-1], states[0])):
        assert joined.marks[VIDEO].fold.watermark_ms == 1_000 - 300


def test_only_the_session_itself_is_held_back():
    assignment = assigned()
    caption(assignment, 0)
    assignment.skip(AUDIO_0, 0)
    assert assignment.committable() == {AUDIO_0: 1, Input(VIDEO, 0): 0, CAPTIONS_0: 0}


def test_what_was_fed_while_a_state_was_being_written_is_not_covered_by_it():
    assignment = assigned()
    assignment.done(caption(assignment, 0)[0])
    (unsaved,) = assignment.unsaved()
    assignment.done(caption(assignment, 1)[0])
    assignment.saved(unsaved)
    assert assignment.committable()[CAPTIONS_0] == 1
    save(assignment)
    assert assignment.committable()[CAPTIONS_0] == 2


def test_a_state_is_written_once():
    assignment = assigned()
    assignment.done(caption(assignment, 0)[0])
    assert len(assignment.unsaved()) == 1
    assert assignment.unsaved() == []


def test_the_states_of_a_session_are_joined_and_superfluous_once_our_own_is_acknowledged():
    first, second = assigned("first"), assigned("second")
    first.done(caption(first, 0)[0])
    second.done(caption(second, 0)[0])
    second.done(caption(second, 1)[0])
    states = stored(first.unsaved()[0], "first"), stored(second.unsaved()[0], "second")
    for order in (states, states[::-1]):
        assignment = assigned("third", stored=order)
        assert caption(assignment, 0) == caption(assignment, 1) == []
        (window,) = caption(assignment, 2)
        assignment.done(window)
        assert sorted(save(assignment)) == ["first", "second"]
        assert save(assignment) == []


def test_a_record_that_another_workers_state_covers_holds_the_commit_until_our_own_does():
    other = assigned("other")
    other.done(caption(other, 0)[0])
    assignment = assigned("ours", stored=(stored(other.unsaved()[0], "other"),))
    assert caption(assignment, 0) == []
    assert assignment.committable()[CAPTIONS_0] == 0
    save(assignment)
    assert assignment.committable()[CAPTIONS_0] == 1


@pytest.mark.parametrize(("kind", "counted"), [(Assignment, 4), (CommitsWhatOthersCover, 3)])
def test_why_another_workers_state_is_not_enough_to_commit(kind, counted):
    """Four owners, two of them zombies. It takes this many, so the simulation meets it in one run of hundreds."""
    first = assigned("first")
    first.done(caption(first, 0)[0])
    (old,) = first.unsaved()
    second = kind(ToyLogic(), "second", first.committable(), (stored(old, "first"),))
    for offset in (1, 2):  # the first goes on writing, unaware of the second
        first.done(caption(first, offset)[0])
    (new,) = first.unsaved()
    third = kind(ToyLogic(), "third", first.committable(), (stored(old, "first"), stored(new, "first")))
    assert third.unsaved() == []
    for offset in (0, 1, 2):
        assert caption(third, offset) == []
    committed = third.committable()  # between the second's and the third's next checkpoint
    caption(second, 0)
    second.done(caption(second, 1)[0])
    (left,) = second.unsaved()
    assert second.saved(left) == ["first"]  # and so the second, a zombie now, erases what the third relied upon
    fourth = kind(ToyLogic(), "fourth", committed, (stored(left, "second"),))
    windows = [window for offset in range(committed[CAPTIONS_0], 4) for window in caption(fourth, offset)]
    assert identify("s", windows[-1].work)[1][0] == counted


def test_a_commit_never_goes_back_over_a_stretch_without_records_of_the_session():
    other = assigned("other")
    other.done(caption(other, 0)[0])
    assignment = assigned("ours", committed=7, stored=(stored(other.unsaved()[0], "other"),))
    (window,) = caption(assignment, 7)
    (early,) = assignment.unsaved()
    assignment.saved(early)
    assert assignment.committable()[CAPTIONS_0] == 7
    assignment.done(window)
    save(assignment)
    assert assignment.committable()[CAPTIONS_0] == 8


def ended(assignment: Assignment) -> list[Window]:
    return [w for t in ToyLogic.topics for w in assignment.feed(Input(t, 0), 0, "s", control("s", "end", 0, 1000), 1)]


def test_a_finished_session_leaves_the_memory_and_a_straggler_changes_nothing():
    assignment = assigned()
    (final,) = ended(assignment)
    assert assignment.done(final) == []
    save(assignment)
    assert (assignment.session_count, assignment.stored_count) == (0, 1)
    assert caption(assignment, 1) == []
    save(assignment)
    assert (assignment.session_count, assignment.committable()[CAPTIONS_0]) == (0, 2)


def test_a_session_that_ended_but_never_had_its_last_output_is_finished_by_whoever_loads_it():
    first = assigned("first")
    ended(first)
    second = assigned("second", committed=1, stored=(stored(first.unsaved()[0], "first"),))
    (final,) = second.orphans()
    assert final.is_final
    assert second.orphans() == []
    second.done(final)
    third = assigned("third", committed=1, stored=(stored(second.unsaved()[0], "second"),))
    assert third.orphans() == []


def test_a_finished_session_is_kept_while_its_inputs_hold_records():
    first = assigned("first")
    first.done(ended(first)[0])
    state = stored(first.unsaved()[0], "first")
    second = assigned("second", committed=1, stored=(state,))
    assert second.expired({Input(topic, 0): 0 for topic in ToyLogic.topics}) == []
    assert second.expired({AUDIO_0: 1, CAPTIONS_0: 1}) == []
    assert second.expired({Input(topic, 0): 1 for topic in ToyLogic.topics}) == [state]


def test_what_has_expired_is_forgotten_by_a_worker_that_runs_for_ever():
    """Session after session, retention right behind them: neither memory nor the state topic grows."""
    assignment = assigned()
    for number in range(50):
        name = f"s{number}"
        (final,) = [
            window
            for topic in ToyLogic.topics
            for window in assignment.feed(Input(topic, 0), number, name, control(name, "end", 0, 1000), 1)
        ]
        assignment.done(final)
        save(assignment)
        starts = assignment.next if number % 10 == 9 else dict.fromkeys(assignment.next, 0)
        expired = assignment.expired(starts)
        assert [one.assignment for one in expired] == ["a"] * (10 if number % 10 == 9 else 0)
        for one in expired:
            assignment.forget(one.session)
        kept = assignment.stored_count, len(assignment._saved), len(assignment._foreign)
        assert kept == ((number + 1) % 10, (number + 1) % 10, 0)
    assert assignment.session_count == len(assignment._uncovered) == 0
    assert assignment.committable() == assignment.next


def test_a_straggler_does_not_bring_a_finished_session_back_for_good():
    first = assigned("first")
    first.done(ended(first)[0])
    (state,) = first.unsaved()
    second = assigned("second", stored=(stored(state, "first"),))
    for topic in ToyLogic.topics:  # read again, because the commit was not done
        second.feed(Input(topic, 0), 0, "s", control("s", "end", 0, 1000), 1)
        save(second)
    assert (second.session_count, second.stored_count) == (0, 1)
    assert second.unsaved() == []
    assert second.expired(second.next) == [Stored(S, "second", state.state)]


def spoken(assignment: Assignment, offset: int, at_ms: int) -> None:
    assignment.feed(AUDIO_0, offset, "s", frame("s", AUDIO, offset, at_ms, participant_id=3, voiced=True), 640)


def test_only_what_waits_for_another_input_leads():
    assignment = assigned()
    spoken(assignment, 0, 1000)
    assert (assignment.held_bytes(), assignment.leads().ahead) == (640, {AUDIO_0: 640})
    assignment.feed(Input(VIDEO, 0), 0, "s", control("s", "tick", 0, 900), 10)
    assert assignment.leads().ahead == {}, "the voice itself is the slower one now"
    spoken(assignment, 1, 1300)
    assert (assignment.held_bytes(), assignment.leads().ahead) == (1280, {AUDIO_0: 1280})
    assignment.feed(Input(VIDEO, 0), 1, "s", control("s", "end", 1, 900), 10)
    assert (assignment.held_bytes(), assignment.leads().ahead) == (1280, {})
