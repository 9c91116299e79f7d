"""Holds every file and every function to a size that can be read at once; prints where each room stands."""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILE_LINES = 400
FUNCTION_LINES = 60
ROOMS = ("schemas", "connectors", "ingest", "processors", "sinks", "api", "deploy", "scripts", "tests")


class Function(NamedTuple):
    """One function and how many lines it spans, decorators included."""

    name: str
    lines: int


class Source(NamedTuple):
    """One file."""

    path: Path
    lines: int
    functions: list[Function]

    @property
    def longest(self) -> Function:
        """Its longest function."""
        return max(self.functions, key=lambda function: function.lines, default=Function("", 0))

    def violations(self) -> Iterator[str]:
        """What goes over the budget."""
        if self.lines > FILE_LINES:
            yield f"{self.path}: {self.lines} lines, at most {FILE_LINES}"
        for function in self.functions:
            if function.lines > FUNCTION_LINES:
                yield f"{self.path}: {function.name} has {function.lines} lines, at most {FUNCTION_LINES}"


def measure(path: Path, text: str) -> Source:
    """Count one file."""
    functions = [
        Function(node.name, (node.end_lineno or node.lineno) - _first_line(node) + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return Source(path, len(text.splitlines()), functions)


def sources(room: Path) -> list[Source]:
    """Every Python file of a room that says anything."""
    files = [measure(path, path.read_text()) for path in sorted(room.rglob("*.py"))]
    return [file for file in files if file.lines]


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _row(name: str, files: list[Source]) -> str:
    lengths = [function.lines for file in files for function in file.functions] or [0]
    largest = max(files, key=lambda file: file.lines)
    slowest = max(files, key=lambda file: file.longest.lines)
    return (
        f"{name:<12}{len(files):>6}{sum(file.lines for file in files):>8}"
        f"{statistics.median(file.lines for file in files):>8.0f}{largest.lines:>6}"
        f"{statistics.median(lengths):>10.0f}{slowest.longest.lines:>6}  {slowest.path}:{slowest.longest.name}"
    )


def main() -> int:
    """The exit code: 1 when anything is over budget."""
    repository = Path(__file__).parents[1]
    print(f"{'room':<12}{'files':>6}{'lines':>8}{'median':>8}{'max':>6}{'fn median':>10}{'max':>6}  longest function")
    violations: list[str] = []
    for room in ROOMS:
        files = [file._replace(path=file.path.relative_to(repository)) for file in sources(repository / room)]
        if files:
            print(_row(room, files))
        violations += [violation for file in files for violation in file.violations()]
    for violation in violations:
        print(f"over budget: {violation}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
