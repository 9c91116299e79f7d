"""Repeated library lines are counted instead of written."""

import logging

from connectors.host.noise import NoiseFilter, NoiseGate, Verdict


def test_a_burst_passes_then_the_rest_is_counted_into_the_next_window() -> None:
    gate = NoiseGate(burst=2, window_s=10)
    verdicts = [gate.admit("aiokafka", "no broker", now) for now in (0, 1, 2, 3)]
    assert verdicts == [Verdict(True, 0), Verdict(True, 0), Verdict(False, 0), Verdict(False, 0)]
    assert gate.admit("aiokafka", "no broker", 11) == Verdict(True, 2)
    assert gate.admit("aiokafka", "no broker", 12) == Verdict(True, 0)


def test_lines_are_told_apart_by_logger_and_template() -> None:
    gate = NoiseGate(burst=1)
    assert gate.admit("a", "x", 0).passes
    assert gate.admit("a", "y", 0).passes
    assert gate.admit("b", "x", 0).passes
    assert not gate.admit("a", "x", 0).passes


def test_endless_variety_does_not_grow_the_gate() -> None:
    gate = NoiseGate(max_keys=10)
    for number in range(1000):
        gate.admit("a", str(number), 0)
    assert len(gate._seen) <= 10


def test_only_noisy_libraries_are_gated() -> None:
    noise = NoiseFilter(NoiseGate(burst=1))
    ours = logging.LogRecord("ingest.worker", logging.ERROR, "", 0, "same", (), None)
    theirs = logging.LogRecord("aiokafka.conn", logging.ERROR, "", 0, "same", (), None)
    assert [noise.filter(ours) for _ in range(3)] == [True, True, True]
    assert [noise.filter(theirs) for _ in range(3)] == [True, False, False]
