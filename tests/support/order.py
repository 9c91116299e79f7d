"""Which tests run one after the other in one process, and which begin first where several processes share them.

What takes longest begins first, so that nothing long is left alone at the end, and what files share is started once.
There are more processes than cores, because many tests wait for most of their time.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

PROCESSES_PER_CORE = 1.5
MOST_PROCESSES = 8
"""Each may run a whole pipeline, which takes memory."""

UNITS: tuple[tuple[str, ...], ...] = (
    ("integration/faults/test_faults.py",),
    ("integration/api",),
    ("integration/kafka",),
    ("integration/endings",),
    ("integration/ingest/test_outage.py",),
    ("integration/rtms",),
    ("integration/faults/test_a_minute_without_kafka.py",),
    ("integration/deletion",),
    ("integration/ingest/test_cut_off.py",),
    ("integration/muxing/test_kills.py",),
    ("integration/transcription/test_kills.py",),
    ("integration/ingest/test_hand_over.py",),
    ("integration/edges",),
    ("integration/starting",),
    ("integration/ingest/test_sessions.py",),
    ("integration/rtms_simulator",),
    ("e2e",),
    ("integration/ingest/test_memory.py",),
    ("integration/local",),
    ("integration/chart",),
    ("integration/sinks_clickhouse",),
)
"""Paths below tests/, the longest unit first; a file that is nobody's is a unit of its own, after these."""

_NUMBERS = {path: number for number, unit in enumerate(UNITS) for path in unit}


def unit_of(path: str) -> str:
    """The name of the unit to which a file below tests/ belongs. Pure."""
    number = _number(path)
    return path if number is None else f"unit {number}"


def below_tests(nodeid: str) -> str:
    """The path of a test's file."""
    return nodeid.split("::", 1)[0].removeprefix("tests/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(below_tests(item.nodeid)))


def pytest_xdist_auto_num_workers() -> int:
    return max(1, min(MOST_PROCESSES, round((os.cpu_count() or 1) * PROCESSES_PER_CORE)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return _ByUnit(config, log) if config.getvalue("dist") == "loadfile" else None


class _ByUnit(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return unit_of(below_tests(nodeid))


def _number(path: str) -> int | None:
    """By the path itself, or else by the nearest folder that is named."""
    while path not in _NUMBERS and path:
        path = path.rpartition("/")[0]
    return _NUMBERS.get(path)


def _rank(path: str) -> tuple[int, int]:
    """The unit's place, and within the unit its parts' order."""
    number = _number(path)
    if number is None:
        return len(UNITS), 0
    return number, next(place for place, part in enumerate(UNITS[number]) if f"{path}/".startswith(f"{part}/"))
