"""The chart's files/variables.yaml: every variable that an `extraEnv` may name, so that a misspelt one is found."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from scripts.chart.catalogue import Group

_HEAD = "# Made by `make made` from the settings classes: settings that are no secrets and not the chart's own.\n"


def document(groups: Sequence[Group], fixed: set[str]) -> str:
    """The whole file. `fixed` are the variables that the chart gives by itself."""
    open_ones = [setting for group in groups for setting in group.settings if not setting.is_secret]
    return _HEAD + str(yaml.safe_dump(sorted({setting.variable for setting in open_ones} - fixed)))
