"""The script is a function of seed and length, and has everything in it that a meeting must show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.rtms.simulator import writer
from connectors.rtms.simulator.people import Cast, Role
from connectors.rtms.simulator.script import Script, Turn

seeds = st.integers(1, 10_000)
lengths = st.integers(10, 240)


@given(seeds, lengths)
@settings(max_examples=40, deadline=None)
def test_the_same_seed_and_length_write_the_same_script(seed: int, seconds: int) -> None:
    assert writer.write(seed, seconds) == writer.write(seed, seconds)


@given(seeds, lengths)
@settings(max_examples=60, deadline=None)
def test_every_script_makes_sense(seed: int, seconds: int) -> None:
    script = writer.write(seed, seconds)
    assert script.turns
    for turn in script.turns:
        assert 0 <= turn.start_ms < turn.end_ms < script.length_ms
        stays = [span for span in script.presences if span.user_id == turn.user_id]
        assert any(span.start_ms <= turn.start_ms and turn.end_ms <= span.end_ms for span in stays)
    for earlier, later in zip(script.speakers, script.speakers[1:], strict=False):
        assert earlier.end_ms == later.start_ms
        assert earlier.user_id != later.user_id
    assert (script.speakers[0].start_ms, script.speakers[-1].end_ms) == (0, script.length_ms)
    for earlier, later in zip(script.pictured(), script.pictured()[1:], strict=False):
        assert earlier.end_ms <= later.start_ms
    assert all(0 <= line.at_ms < script.length_ms for line in script.chat)


@given(seeds, lengths)
@settings(max_examples=60, deadline=None)
def test_nobody_is_unmuted_twice_at_once(seed: int, seconds: int) -> None:
    script = writer.write(seed, seconds)
    for person in script.cast:
        own = [turn for turn in script.turns if turn.user_id == person.user_id]
        for earlier, later in zip(own, own[1:], strict=False):
            assert later.start_ms - earlier.end_ms >= 1_000  # the longest chunk that can be asked for


def overlapping(script: Script) -> list[tuple[Turn, Turn]]:
    pairs = zip(script.turns, script.turns[1:], strict=False)
    return [(one, other) for one, other in pairs if other.start_ms < one.end_ms]


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_the_usual_meeting_has_all_that_is_promised(seed: int) -> None:
    script = writer.write(seed, 70)
    assert len({turn.user_id for turn in script.turns}) == 3
    assert overlapping(script)
    assert all(one.reading != other.reading for one, other in overlapping(script))
    late, early = script.cast.having(Role.LATECOMER), script.cast.having(Role.LISTENER)
    stays = {span.user_id: span for span in script.presences}
    assert stays[late.user_id].start_ms > 5_000
    assert stays[early.user_id].end_ms < script.length_ms - 5_000
    reader = script.cast.having(Role.READER)
    assert len([span for span in script.cameras if span.user_id == reader.user_id]) == 2
    gaps = [b.start_ms - a.end_ms for a, b in zip(script.pictured(), script.pictured()[1:], strict=False)]
    assert max(gaps) > 1_000, "no camera was off while its owner spoke"
    assert len(script.chat) == 8
    assert script.shares


def test_a_meeting_too_short_to_speak_in_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 10 seconds"):
        writer.write(1, 9)


def test_casts_differ_by_seed_and_have_ids_like_zooms() -> None:
    assert [person.name for person in Cast.choose(1)][:3] == ["Ada Okafor", "Björn Lindqvist", "Chiara Rossi"]
    assert {person.name for person in Cast.choose(1)} != {person.name for person in Cast.choose(2)}
    for seed in range(1, 50):
        ids = [person.user_id for person in Cast.choose(seed)]
        assert len(set(ids)) == len(ids)
        assert all(0 < user_id < 2**31 for user_id in ids)
