"""The budget counts what a reader has to read."""

from __future__ import annotations

from pathlib import Path

from scripts.budget import FILE_LINES, FUNCTION_LINES, Function, measure

DECORATED = "@cache\ndef f():\n    def g():\n        return 1\n    return g\n"


def test_functions_are_counted_with_decorators_and_inner_functions() -> None:
    assert measure(Path("a.py"), DECORATED).functions == [Function("f", 5), Function("g", 2)]


def test_what_is_within_the_budget_passes() -> None:
    body = "def f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1)

    assert list(measure(Path("a.py"), body).violations()) == []


def test_every_violation_is_named() -> None:
    long_function = "def f():\n" + "    x = 1\n" * FUNCTION_LINES
    long_file = long_function + "y = 2\n" * FILE_LINES

    in_function, in_file = measure(Path("a.py"), long_function), measure(Path("b.py"), long_file)

    assert list(in_function.violations()) == [f"a.py: f has {FUNCTION_LINES + 1} lines, at most {FUNCTION_LINES}"]
    assert len(list(in_file.violations())) == 2
