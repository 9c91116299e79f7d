"""A process whose working loop does not get round any more ends by itself."""

import subprocess
import sys
import textwrap

import pytest

from connectors.host.program import LEFT
from connectors.host.standstill import LOOKS, Standstill

LOOK_S = 0.01


def test_a_loop_that_stood_at_every_look_stands_still() -> None:
    standstill = Standstill()
    assert [standstill.look(is_alive=False) for _ in range(LOOKS)] == [False] * (LOOKS - 1) + [True]


@pytest.mark.parametrize("alive_at", [0, 1, LOOKS - 1])
def test_a_loop_that_got_round_once_is_given_all_its_time_again(alive_at: int) -> None:
    standstill = Standstill()
    looks = [number == alive_at for number in range(alive_at + LOOKS)]
    assert not any(standstill.look(is_alive) for is_alive in looks)
    assert standstill.look(is_alive=False)


def a_process(body: str) -> subprocess.CompletedProcess[str]:
    """One that is watched, and not alive a tenth of a second after its last beat, or its start."""
    program = f"""
        import threading, time
        from connectors.host.health import Health
        from connectors.host.program import LEFT
        from connectors.host.settings import HealthSettings
        from connectors.host.signals import StopSignal
        from connectors.host.standstill import Watch

        health, stop = Health("test", HealthSettings(max_beat_age_s=0.1)), StopSignal()
        Watch(health, stop, LEFT).start({LOOK_S})
        def stuck():
            threading.Event().wait(60)
        {body}
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_ends_and_says_where_it_stood() -> None:
    ended = a_process("stuck()")
    assert ended.returncode == LEFT
    assert "standing still, leaving" in ended.stdout + ended.stderr
    assert "stuck (<string>:" in ended.stdout + ended.stderr


def test_one_that_was_told_to_stop_is_left_to_who_told_it() -> None:
    assert a_process(f"stop.set(); time.sleep({2 * LOOKS * LOOK_S}); raise SystemExit(7)").returncode == 7


def test_one_that_gets_round_goes_on() -> None:
    beating = f"for _ in range({6 * LOOKS}): health.beat(); time.sleep({LOOK_S} / 2)"
    assert (
        a_process(
            f"{beating}\n        stop.set()  # leaving takes its time, too\n        raise SystemExit(7)"
        ).returncode
        == 7
    )
