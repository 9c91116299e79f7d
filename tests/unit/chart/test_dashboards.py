"""Grafana understands every field of the dashboards, the oldest version that they are for and the newest.

What its plugin for ClickHouse is asked is that plugin's own and not looked at here.
"""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from scripts.chart.documents import CHART
from scripts.chart.tools import GRAFANA
from tests.support.grafana import Json, kept, lost

PAGES: list[Json] = [json.loads(path.read_text()) for path in sorted((CHART / "dashboards").glob("*.json"))]


@pytest.mark.parametrize("version", GRAFANA)
def test_grafana_knows_every_field(version: str) -> None:
    assert len(PAGES) == 3
    found = {page["uid"]: list(lost(page, read)) for page, read in zip(PAGES, kept(PAGES, version), strict=True)}
    assert found == {page["uid"]: [] for page in PAGES}


@pytest.mark.parametrize("version", GRAFANA)
def test_a_field_that_it_does_not_know_is_found_wherever_it_is(version: str) -> None:
    page = deepcopy(next(page for page in PAGES if page["uid"] == "rtms-pipeline"))
    number, panel = next((at, one) for at, one in enumerate(page["panels"]) if one["type"] == "timeseries")
    for where, name in ((panel["fieldConfig"]["defaults"], "unit"), (panel["options"], "legend"), (page, "refresh")):
        where[f"{name}s"] = where.pop(name)
    panel["targets"][0]["express"] = panel["targets"][0].pop("expr")
    at = f".panels[{number}]"
    wanted = {f"{at}.fieldConfig.defaults.units", f"{at}.options.legends", f"{at}.targets[0].express", ".refreshs"}
    assert set(lost(page, *kept([page], version))) == wanted
