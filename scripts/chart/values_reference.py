"""The README of the chart: what its values are, read off values.yaml and the comments above its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

MARK = "# --"


class Value(NamedTuple):
    """One row: a dotted path, its default as JSON, what it is."""

    path: str
    default: str
    description: str


def values(text: str) -> Iterator[Value]:
    """Every leaf of the YAML, and every branch that is described. Empty maps and lists are leaves."""
    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    yield from _walk(root, "", text.splitlines())


def table(text: str) -> str:
    """The rows as Markdown."""
    rows = [f"| `{value.path}` | {value.default} | {value.description} |" for value in values(text)]
    return "\n".join(["| value | default | what |", "|---|---|---|", *rows])


def _walk(node: yaml.MappingNode, path: str, lines: list[str]) -> Iterator[Value]:
    for key, value in node.value:
        name = f"{path}.{key.value}" if path else str(key.value)
        description = _comment(lines, key.start_mark.line)
        is_branch = isinstance(value, yaml.MappingNode) and bool(value.value) and not value.flow_style
        if description or not is_branch:
            yield Value(name, "" if is_branch else f"`{_json(value)}`", description)
        if is_branch:
            yield from _walk(value, name, lines)


def _comment(lines: list[str], line: int) -> str:
    """The comment block right above a line, if it begins with the mark."""
    block: list[str] = []
    while line > 0 and lines[line - 1].lstrip().startswith("#"):
        line -= 1
        block.insert(0, lines[line].strip())
    starts = [index for index, text in enumerate(block) if text.startswith(MARK)]
    if not starts:
        return ""
    text = [block[starts[-1]].removeprefix(MARK), *(more.removeprefix("#") for more in block[starts[-1] + 1 :])]
    return " ".join(part.strip() for part in text).replace("|", "\\|")


def _json(node: yaml.Node) -> str:
    value: Any = yaml.safe_load(yaml.serialize(node))
    return json.dumps(value, ensure_ascii=False)
