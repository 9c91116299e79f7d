"""How Grafana wants a dashboard: panels below headings on a grid of 24, with an id and a place each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]

_WIDTH, _HEIGHT = 24, 8


class Page(NamedTuple):
    """A dashboard but for its panels; `since` is how far back it looks when it is opened."""

    uid: str
    title: str
    variables: Sequence[Json]
    refresh: str
    since: str


def page(about: Page, rows: Mapping[str, Sequence[Json]], beside: int) -> str:
    """What Grafana imports; so many panels stand `beside` each other."""
    panels: list[Json] = []
    y, width = 0, _WIDTH // beside
    for heading, row in rows.items():
        panels.append(_at({"type": "row", "title": heading, "collapsed": False}, len(panels), (0, y, _WIDTH, 1)))
        for index, panel in enumerate(row):
            place = (index % beside * width, y + 1 + index // beside * _HEIGHT, width, _HEIGHT)
            panels.append(_at(panel, len(panels), place))
        y += 1 + -(-len(row) // beside) * _HEIGHT
    document = {
        "uid": about.uid,
        "title": about.title,
        "tags": ["rtms-pipeline"],
        "schemaVersion": 39,
        "refresh": about.refresh,
        "time": {"from": about.since, "to": "now"},
        "templating": {"list": list(about.variables)},
        "panels": panels,
    }
    return json.dumps(document, indent=1) + "\n"


def datasource(plugin: str, label: str) -> Json:
    """The variable by which one says which of one's data sources is meant."""
    return {"name": "datasource", "type": "datasource", "query": plugin, "label": label}


def _at(panel: Json, number: int, place: tuple[int, int, int, int]) -> Json:
    x, y, width, height = place
    return {"id": number + 1, **panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}}
