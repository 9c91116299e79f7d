"""What a PromQL expression asks for, by a parser of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from scripts.chart.tools import promql_folder

_INNER = ("expr", "lhs", "rhs", "vector_selector", "args", "param")


class Selector(NamedTuple):
    """A metric and the labels that it is asked by, each with the value or pattern asked for."""

    metric: str
    labels: dict[str, str]


@cache
def _parser() -> ModuleType:
    folder = str(promql_folder())
    sys.path.insert(0, folder)
    try:
        import promql_parser  # type: ignore[import-not-found]
    finally:
        sys.path.remove(folder)
    module: ModuleType = promql_parser
    return module


def selectors(expression: str) -> list[Selector]:
    """Every selector; raises ValueError when Prometheus would not understand the expression."""
    try:
        tree = _parser().parse(expression)
    except Exception as error:  # the library's own, which has no public name
        raise ValueError(f"{error}: {expression}") from error
    return list(_walk(tree))


def grouped_by(expression: str) -> set[str]:
    """Every label that something is aggregated by."""
    return set(_labels(_parser().parse(expression)))


def _walk(node: Any) -> Iterator[Selector]:
    if type(node).__name__ == "VectorSelector":
        yield Selector(node.name, {matcher.name: matcher.value for matcher in node.matchers.matchers})
    for inner in _children(node):
        yield from _walk(inner)


def _labels(node: Any) -> Iterator[str]:
    if type(node).__name__ == "AggregateExpr" and node.modifier is not None:
        yield from node.modifier.labels
    for inner in _children(node):
        yield from _labels(inner)


def _children(node: Any) -> Iterator[Any]:
    for name in _INNER:
        inner = getattr(node, name, None)
        if isinstance(inner, list):
            yield from inner
        elif inner is not None and not isinstance(inner, str | int | float):
            yield inner
