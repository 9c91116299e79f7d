"""What the whole stack on one machine costs before it does anything: the time to start, the memory at rest.

Each round starts on a fresh folder, as `make demo` does after the set-up. The set-up itself is a group of its own,
`setup`: it needs a package registry.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from deploy.local.memory import proportional_bytes
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from tests.bench.rows import Row

_START_GOAL_S = 20.0
_MEMORY_GOAL_GB = 2.5
_REST_S = 8.0
"""Until what starting left behind has settled: compilers, first polls, group assignments."""


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Start, rest, look, stop; `rounds` times."""
    starts: list[float] = []
    memories: list[float] = []
    processes = 0
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="rtms-bench-") as folder:
            with Stack(LocalSettings(run_dir=Path(folder) / "run")) as stack:
                began = time.monotonic()
                stack.start()
                starts.append(time.monotonic() - began)
                time.sleep(_REST_S)
                processes = len(stack.units())
                memories.append(proportional_bytes(unit.pid for unit in stack.units() if unit.pid is not None) / 1e9)
        say(f"round {number + 1}: ready in {starts[-1]:.1f} s, {memories[-1]:.2f} GB at rest")
    return [
        Row(name="embedded stack, start with everything set up", unit="s", ours=median(starts), goal=_START_GOAL_S),
        Row(
            name=f"embedded stack, memory at rest ({processes} processes)",
            unit="GB",
            ours=median(memories),
            goal=_MEMORY_GOAL_GB,
            note="PSS, so that shared pages count once",
        ),
    ]
