"""The core's proof is complete: its own tests take every branch, each time the same way, and pretend nothing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]
CORE, TESTS = "connectors/rtms/protocol", "tests/unit/connectors/rtms/protocol"
PRETENCES = frozenset({"mock", "Mock", "MagicMock", "patch", "monkeypatch", "sleep"})


def test_every_branch_of_the_core_is_taken_by_its_own_tests(tmp_path: Path) -> None:
    """Without the tests that draw examples: what those find must not depend on their luck."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))}
    env["COVERAGE_FILE"] = str(tmp_path / "coverage")
    coverage = [sys.executable, "-m", "coverage"]
    chosen = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not hypothesis", TESTS]
    tested = _run([*coverage, "run", "--branch", f"--source={CORE}", *chosen], env)
    assert tested.returncode == 0, tested.stdout
    report = _run([*coverage, "report", "--show-missing", "--skip-covered", "--fail-under=100"], env)
    assert report.returncode == 0, report.stdout


def _run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", sorted((REPOSITORY / TESTS).glob("*.py")), ids=lambda path: path.stem)
def test_no_test_of_the_core_pretends_or_waits(path: Path) -> None:
    used = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name | ast.arg):
            used.add(node.id if isinstance(node, ast.Name) else node.arg)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.alias):
            used |= set(node.name.split("."))
    assert used & PRETENCES == set()
