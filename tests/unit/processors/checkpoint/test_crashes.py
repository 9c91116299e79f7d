"""The checkpoint in trouble: crashes between any two steps, zombies, compaction. Nothing lost, wrong or conflicting.

The last tests leave out one rule each and demand that the simulation notices.
"""

import random
from dataclasses import replace

import pytest

from tests.support.broken_checkpoints import BROKEN_ASSIGNMENTS, BROKEN_SESSIONS, BROKEN_TROUBLES, SESSION_SEAM
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.toy_processor import ToyLogic, batch, identify, meeting

RUNS = 25
"""Seeds for the checkpoint as it is; a broken one may use them up, but has shown itself long before."""

PATIENCE = 120


def run(seed: int, trouble: Trouble) -> list[str]:
    rng = random.Random(seed)
    meetings = {f"s{number}": meeting(rng, f"s{number}", rng.randint(3, 14)) for number in range(2)}
    expected = {key: content for name, topics in meetings.items() for key, content in batch(name, topics).items()}
    return faults(simulate(ToyLogic(), meetings, identify, seed, trouble), expected)


def is_found(trouble: Trouble) -> bool:
    for seed in range(PATIENCE):
        try:
            if run(seed, trouble):
                return True
        except (ValueError, KeyError):  # a rule inside the checkpoint has noticed by itself
            return True
    return False


@pytest.mark.parametrize("seed", range(8))
def test_one_worker_without_trouble_does_what_the_batch_does(seed):
    rng = random.Random(seed)
    meetings = {name: meeting(rng, name, 30) for name in ("a", "b", "c")}
    expected = {key: content for name, topics in meetings.items() for key, content in batch(name, topics).items()}
    assert undisturbed(ToyLogic(), meetings, identify, seed) == expected


@pytest.mark.parametrize("crash_rate", [0.005, 0.02])
def test_no_trouble_shows_in_the_outputs(crash_rate):
    for seed in range(RUNS):
        assert run(seed, Trouble(crash_rate=crash_rate)) == [], f"seed {seed}"


@pytest.mark.parametrize("most", [1, 2])
def test_no_trouble_shows_when_few_windows_may_be_open(most, monkeypatch):
    monkeypatch.setattr("processors.checkpoint.sessions.MAX_PENDING", most)
    for seed in range(RUNS):
        assert run(seed, Trouble()) == [], f"seed {seed}"


@pytest.mark.parametrize("broken", BROKEN_ASSIGNMENTS)
def test_a_broken_assignment_is_found(broken):
    assert is_found(Trouble(assignment=broken))


@pytest.mark.parametrize("broken", BROKEN_SESSIONS)
def test_a_broken_session_is_found(broken, monkeypatch):
    monkeypatch.setattr(SESSION_SEAM, broken)
    assert is_found(Trouble())


@pytest.mark.parametrize("name", BROKEN_TROUBLES)
def test_broken_keys_and_choices_are_found(name):
    assert is_found(replace(BROKEN_TROUBLES[name], crash_rate=0.01))
