"""`make lock`: writes requirements.lock, the complete tree with exact versions that every set-up installs as it stands.

pip resolves what pyproject.toml asks for; what `[tool.rtms.lock] omit` names is then left out, together with whatever
only that needs. The lock is installed without resolving, so nothing of it comes back.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
HEAD = "# Made by `make lock` from pyproject.toml; installed with --no-deps. One tree for Python 3.11, 3.12 and 3.13.\n"


def wanted(project: dict[str, Any]) -> list[Requirement]:
    """Everything the project and its extras ask for."""
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def resolve(requirements: list[Requirement]) -> dict[str, dict[str, Any]]:
    """pip's answer: the metadata of every distribution by its normalised name."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    command += ["--only-binary", ":all:", "--report", "-", *map(str, requirements)]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {normalised(found["metadata"]["name"]): found["metadata"] for found in report["install"]}


def reachable(roots: list[Requirement], resolved: dict[str, dict[str, Any]], omit: set[str]) -> set[str]:
    """The names that are needed once the omitted ones are gone."""
    needed: set[str] = set()
    seen: set[str] = set()
    todo = list(roots)
    while todo:
        requirement = todo.pop()
        name = normalised(requirement.name)
        if name in omit or name not in resolved or str(requirement) in seen:
            continue
        seen.add(str(requirement))
        needed.add(name)
        todo += _dependencies(resolved[name], requirement.extras)
    return needed


def normalised(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _dependencies(metadata: dict[str, Any], extras: set[str]) -> Iterator[Requirement]:
    for text in metadata.get("requires_dist", ()):
        requirement = Requirement(text)
        if requirement.marker is None or any(
            requirement.marker.evaluate(
                {"extra": extra, "python_version": python, "python_full_version": f"{python}.0"}
            )
            for python in PYTHONS
            for extra in extras | {""}
        ):
            yield requirement


def line(name: str, version: str, roots: list[Requirement]) -> str:
    """The lock's line for a distribution; what we ask for on some machines only is for those alone."""
    markers = [root.marker for root in roots if normalised(root.name) == name and root.marker is not None]
    return f"{name}=={version}" + "".join(f" ; {marker}" for marker in markers) + "\n"


def main() -> None:
    """Write the lock."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    roots = wanted(settings["project"])
    resolved = resolve(roots)
    names = reachable(roots, resolved, set(settings["tool"]["rtms"]["lock"]["omit"]))
    lines = [line(name, resolved[name]["version"], roots) for name in sorted(names)]
    (REPOSITORY / "requirements.lock").write_text(HEAD + "".join(lines))
    print(f"requirements.lock: {len(lines)} of {len(resolved)} distributions")


if __name__ == "__main__":
    main()
