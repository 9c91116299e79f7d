"""docs/metrics.md: every metric of every room, as the program declares it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from scripts.chart.catalogue import REPOSITORY, ROOMS

_KINDS: dict[type[MetricWrapperBase], tuple[str, tuple[str, ...]]] = {
    Counter: ("counter", ("_total",)),
    Gauge: ("gauge", ("",)),
    Histogram: ("histogram", ("_bucket", "_sum", "_count")),
}

_HEAD = """\
# Metrics

What `/metrics` of each process says, beside what the Prometheus client says of every Python process. Labels are few: no
session, no participant and no address is one. Dashboards and alerts that ask for them are in
[the chart](../deploy/helm/rtms-pipeline/).

Made by `make made` from the rooms' `metrics.py`; `make check` fails when it is out of date.
"""


class Metric(NamedTuple):
    """One declared metric; `samples` are the names that are asked for."""

    name: str
    kind: str
    samples: tuple[str, ...]
    labels: tuple[str, ...]
    description: str


def rooms() -> dict[str, list[Metric]]:
    """The metrics by the module that declares them."""
    found: dict[str, list[Metric]] = {}
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("metrics.py")):
            name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
            if declared := list(_declared(import_module(name))):
                found[name] = declared
    return found


def document() -> str:
    """The whole file."""
    lines = [_HEAD]
    for module, metrics in rooms().items():
        lines += [f"## {module.removesuffix('.metrics')}", "", "| metric | kind | labels | what |", "|---|---|---|---|"]
        lines += [_row(metric) for metric in metrics]
        lines.append("")
    return "\n".join(lines)


def _declared(module: ModuleType) -> Iterator[Metric]:
    for value in vars(module).values():
        if isinstance(value, MetricWrapperBase):
            kind, suffixes = _KINDS[type(value)]
            (family,) = value.describe()
            samples = tuple(f"{family.name}{suffix}" for suffix in suffixes)
            yield Metric(family.name, kind, samples, tuple(value._labelnames), family.documentation)


def _row(metric: Metric) -> str:
    shown = metric.samples[0] if metric.kind != "histogram" else metric.name
    return f"| `{shown}` | {metric.kind} | {', '.join(metric.labels)} | {metric.description} |"
