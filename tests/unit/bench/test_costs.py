"""What a process has used, read from what Linux says about it."""

import os
import sys

import pytest

from tests.bench.costs import CommandFailed, cpu_of, cpu_seconds, resident_mib, used


def test_time_of_a_process_with_an_awkward_name() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    stat = f"7 (a) b (c)) S 1 7 7 0 -1 4194560 9 0 0 0 {3 * ticks} {ticks} {2 * ticks} {ticks} 20 0 1 0 5 100 200"
    assert used(stat) == 7.0


def test_our_own_costs_grow() -> None:
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) <= before:
        sum(range(10_000))
    assert resident_mib() > 1


def test_a_command_is_measured_to_its_end(tmp_path) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    assert cpu_of([sys.executable, "-c", busy], tmp_path / "log") >= 0.3


def test_a_command_that_fails_says_why(tmp_path) -> None:
    with pytest.raises(CommandFailed, match="ended with 3: no such codec"):
        cpu_of([sys.executable, "-c", "print('no such codec'); raise SystemExit(3)"], tmp_path / "log")
