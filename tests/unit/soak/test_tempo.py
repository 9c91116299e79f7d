"""Meetings go on while a movement is carried out, never past it, and are not left behind."""

import threading
import time

import pytest

from tests.soak.tempo import Stopped, Tempo
from tests.support.processes import PATIENCE_S, wait_for

FOR_EVER_S = 3600.0


class Waiting(threading.Thread):
    def __init__(self, tempo: Tempo, until_s: float) -> None:
        super().__init__(daemon=True)
        self._tempo, self._until_s = tempo, until_s
        self.ended = ""
        self.start()

    def run(self) -> None:
        try:
            self._tempo.wait(self._until_s)
            self.ended = "there"
        except Stopped:
            self.ended = "stopped"

    def is_there(self) -> bool:
        wait_for(lambda: self.ended != "", PATIENCE_S, lambda: "it still waits")
        return self.ended == "there"


def test_time_goes_on_within_a_movement_and_jumps_to_the_next() -> None:
    tempo = Tempo([FOR_EVER_S, FOR_EVER_S])
    tempo.entered(0)
    soon, next_one, after = (Waiting(tempo, at_s) for at_s in (0.05, FOR_EVER_S, FOR_EVER_S + 0.05))
    assert soon.is_there()
    assert (next_one.ended, after.ended) == ("", "")
    tempo.entered(1)
    assert next_one.is_there()
    assert after.is_there()


def test_time_stands_at_a_movements_end() -> None:
    tempo = Tempo([0.0, FOR_EVER_S])
    tempo.entered(0)
    began = time.monotonic()
    tempo.wait(0.0)
    later = Waiting(tempo, 0.01)
    wait_for(lambda: time.monotonic() > began + 0.3, 10, lambda: "")
    assert later.ended == ""
    tempo.entered(1)
    assert later.is_there()


def test_nothing_is_said_before_the_plan_begins_and_everything_after_it() -> None:
    tempo = Tempo([FOR_EVER_S])
    first = Waiting(tempo, 0.01)
    tempo.hurry()
    assert first.is_there()
    assert Waiting(tempo, 10 * FOR_EVER_S).is_there()
    assert Waiting(Tempo([]), FOR_EVER_S).is_there(), "without a plan there is nothing to wait for"


def test_who_waits_is_told_to_stop() -> None:
    tempo = Tempo([FOR_EVER_S])
    waiting = Waiting(tempo, 1.0)
    tempo.stop()
    assert not waiting.is_there()
    with pytest.raises(Stopped):
        tempo.pause(0)
