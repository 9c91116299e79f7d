"""deploy/docker/requirements.lock: the part of requirements.lock that services need, without tests and local stack."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions
from typing import Any

from packaging.requirements import Requirement

from scripts.chart.catalogue import REPOSITORY
from scripts.lock import normalised, reachable

_EXTRAS = ("otel", "recogniser")
_HEAD = "# Made by `make made` from pyproject.toml and requirements.lock; installed with --no-deps.\n"


def document() -> str:
    """The whole file, from what is installed here: the complete tree."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    project = settings["project"]
    wanted = [
        *project["dependencies"],
        *(text for extra in _EXTRAS for text in project["optional-dependencies"][extra]),
    ]
    roots = [Requirement(text) for text in wanted]
    names = reachable(roots, _installed(), set(settings["tool"]["rtms"]["lock"]["omit"]))
    locked = [line for line in (REPOSITORY / "requirements.lock").read_text().splitlines() if "==" in line]
    return _HEAD + "".join(f"{line}\n" for line in locked if normalised(line.partition("==")[0]) in names)


def _installed() -> dict[str, dict[str, Any]]:
    return {normalised(found.metadata["Name"]): {"requires_dist": found.requires or []} for found in distributions()}
