"""When a loop looks: at once while little comes, in turns while much does."""

from bisect import bisect_right
from statistics import mean

import pytest

from connectors.host.gathering import Gathering

GATHER_S = 0.008


def waits(gathering: Gathering, due_s: list[float], sockets: int = 64) -> list[float]:
    """How long after it came each of these was read, by a loop that does nothing else. The sockets take turns."""
    now_s, read = 0.0, list[float]()
    while len(read) < len(due_s):
        now_s += gathering.wait_s(now_s)
        now_s = max(now_s, due_s[len(read)])
        ready = due_s[len(read) : bisect_right(due_s, now_s)]
        gathering.looked(now_s, [(len(read) + place) % sockets for place in range(len(ready))])
        read += [now_s - at_s for at_s in ready]
    return read


def evenly(per_s: float, seconds: float = 2.0) -> list[float]:
    return [number / per_s for number in range(1, int(per_s * seconds))]


@pytest.mark.parametrize("frames_per_s", [55, 175, 5_000])
def test_a_lone_meeting_is_read_as_it_comes_and_a_flood_on_one_socket_too(frames_per_s: float) -> None:
    assert max(waits(Gathering(GATHER_S), evenly(frames_per_s), sockets=1)) == 0


@pytest.mark.parametrize("frames_per_s", [32 * 55, 32 * 175, 200 * 55])
def test_many_are_read_in_turns_and_none_waits_for_longer_than_one(frames_per_s: float) -> None:
    gathering = Gathering(GATHER_S)
    busy = waits(gathering, evenly(frames_per_s))[int(frames_per_s / 2) :]
    assert max(busy) <= GATHER_S + 1e-9
    assert GATHER_S / 3 < mean(busy) < GATHER_S


def test_when_it_becomes_quiet_nothing_waits_any_more() -> None:
    gathering = Gathering(GATHER_S)
    waits(gathering, evenly(5_000, seconds=1))
    later = [at_s for at_s in evenly(175, seconds=3) if at_s > 1]
    assert max(waits(gathering, later, sockets=1)[60:]) == 0


def test_a_burst_after_a_long_silence_does_not_begin_with_a_wait() -> None:
    gathering = Gathering(GATHER_S)
    waits(gathering, evenly(5_000, seconds=1))
    gathering.looked(60.0, [1])
    assert gathering.wait_s(60.001) == 0


def test_without_a_time_to_gather_nothing_ever_waits() -> None:
    assert max(waits(Gathering(0.0), evenly(5_000))) == 0
