"""What Grafana's own classes keep of a dashboard: what they do not know is gone when it is written again.

Read in a process of its own, since each version is a package of the same name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from scripts.chart.tools import grafana_folder

Json = dict[str, Any]
_READ = """
import json, sys
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

register_default_plugins()
kept = [Dashboard.from_json(page) for page in json.load(sys.stdin)]
json.dump(kept, sys.stdout, cls=JSONEncoder)
"""


def kept(pages: Sequence[Json], version: str) -> list[Json]:
    """The dashboards as that Grafana has them once it has read them."""
    answer = subprocess.run(
        [sys.executable, "-c", _READ],
        env=os.environ | {"PYTHONPATH": str(grafana_folder(version))},
        input=json.dumps(pages), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[Json] = json.loads(answer.stdout)
    return found


def lost(page: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Where what was kept says less than the page, or something else."""
    if isinstance(page, dict) and isinstance(kept, dict):
        for name, value in page.items():
            if name not in kept:
                yield f"{path}.{name}"
            else:
                yield from lost(value, kept[name], f"{path}.{name}")
    elif isinstance(page, list) and isinstance(kept, list) and len(page) == len(kept):
        for number, (one, other) in enumerate(zip(page, kept, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif page != kept:
        yield path
