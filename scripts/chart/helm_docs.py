"""The chart's README, which helm-docs makes of README.md.gotmpl and of what values.yaml says of each value."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.chart.go import Program

HELM_DOCS = Program("helm-docs", "github.com/norwoodj/helm-docs/cmd/helm-docs")
_ASKED = ("--dry-run", "--log-level", "warning", "--sort-values-order", "file")
_WITHIN_S = 60.0


class Refused(Exception):
    """helm-docs' own words."""


def document(chart: Path) -> str:
    """The whole file. Raises Unavailable where helm-docs cannot be had, and Refused."""
    answer = subprocess.run(
        [HELM_DOCS.build(), "--chart-search-root", str(chart), *_ASKED],
        env={"PATH": os.environ["PATH"]},  # every option can be a variable, too
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_WITHIN_S,
    )  # fmt: skip
    if answer.returncode != 0 or answer.stderr:  # of what goes wrong it warns, and goes on without
        raise Refused(f"helm-docs: {answer.stderr.strip()}")
    return answer.stdout
