"""docs/configuration.md: every RTMS_* variable, read off the settings classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from scripts.chart.catalogue import Group, Setting

_HEAD = """\
# Configuration

Every setting is an environment variable; nothing is read from anywhere else. A value that cannot be is refused at the
start, with the setting's name. In the chart the same names are keys of the values: `RTMS_KAFKA_PARTITIONS` is
`config.kafka.partitions`, and a secret is named in `secretRefs`
(see [the chart](../deploy/helm/rtms-pipeline/README.md)).

Made by `make made` from the settings classes; `make check` fails when it is out of date.

## Who reads what

"""


def document(groups: Sequence[Group], readers: Mapping[str, Sequence[str]]) -> str:
    """The whole file; `readers` says which groups each workload reads."""
    lines = [*_matrix(groups, readers), *(line for group in groups for line in _section(group))]
    return _HEAD + "\n".join(lines) + "\n"


def _matrix(groups: Sequence[Group], readers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "| settings | read by |"
    yield "|---|---|"
    for group in groups:
        by = [name for name, read in readers.items() if group.name in read]
        yield f"| [`{_prefix(group)}`](#{_anchor(group)}) | {', '.join(by)} |"


def _section(group: Group) -> Iterator[str]:
    yield from ("", f"## {_prefix(group)}", "", _prose(group.description), "")
    yield "| variable | value | default | what |"
    yield "|---|---|---|---|"
    for setting in group.settings:
        cells = (f"`{setting.variable}`", _kind(setting), _default(setting), setting.description)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _prefix(group: Group) -> str:
    return f"RTMS_{group.name.upper()}_*"


def _anchor(group: Group) -> str:
    return re.sub(r"[^a-z0-9_]", "", _prefix(group).lower())


def _prose(text: str) -> str:
    """A docstring as Markdown: its lines are its own."""
    return text.replace("*", "\\*") if "`" not in text else text


def _kind(setting: Setting) -> str:
    schema = next((one for one in setting.schema.get("anyOf", ()) if one.get("type") != "null"), setting.schema)
    if setting.is_secret:
        return "secret"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if value)
    kinds = {"integer": "whole number", "number": "number", "boolean": "`true`, `false`", "string": "text"}
    return kinds[schema["type"]] + _limits(schema)


def _limits(schema: Mapping[str, Any]) -> str:
    limits = [
        f"{sign} {schema[key]:g}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in schema
    ]
    return f" {', '.join(limits)}" if limits else ""


def _default(setting: Setting) -> str:
    value = setting.default
    if isinstance(value, SecretStr) or value in (None, ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Path | str | int | float):
        return f"`{value}`"
    raise TypeError(f"{setting.variable}: no text for its default")
