"""How long a newcomer waits before the first start: `scripts/setup` in a fresh clone, with nothing in our caches.

It fetches every package and Kafka's jars, so the network has a say in it, and without one there is no figure. Once.
pip's own cache on this machine is left out, since a newcomer has none.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.settings import REPOSITORY
from tests.bench.rows import Row

_GOAL_S = 300.0
_LIMIT_S = 1800.0


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Once, whatever `rounds` says. Raises RuntimeError with the set-up's own words when it fails."""
    with tempfile.TemporaryDirectory(prefix="rtms-bench-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        say("setting up in a fresh clone …")
        began = time.monotonic()
        done = subprocess.run(
            ["scripts/setup"],
            cwd=clone,
            env=os.environ | {"PIP_NO_CACHE_DIR": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_LIMIT_S,
        )
        took_s = time.monotonic() - began
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise RuntimeError(f"scripts/setup failed, which needs the package registry: {last[0]}")
    note = "packages, jars and preparation; as fast as the package registry"
    return [Row(name="embedded stack, cold set-up", unit="s", ours=took_s, goal=_GOAL_S, note=note)]
