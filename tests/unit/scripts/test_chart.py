"""What the chart's documents are made from is read as it was written."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.chart import __main__ as command
from scripts.chart.catalogue import groups
from scripts.chart.documents import CHART
from scripts.chart.go import NoGo
from scripts.chart.helm_docs import Refused
from scripts.chart.tools import Unavailable

ROW = re.compile(r"\| `([^`]+)` \| (?:`.*?`)? \| (.*) \|")


def leaves(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every value that is no map with something in it."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def test_the_readme_says_of_every_value_what_it_is() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    text, _, of_workloads = (CHART / "README.md").read_text().partition("### What each workload has")
    rows = [found for line in text.splitlines() if (found := ROW.fullmatch(line))]
    workloads = values.pop("workloads")
    shown = {row[1] for row in rows if "`" in row[0].split("|")[2]}
    undescribed = [row[1] for row in rows if not row[2].strip()]
    assert undescribed == []
    assert [leaf for leaf in leaves(values) if not {leaf, leaf.rpartition(".")[0]} & shown] == []
    assert re.findall(r"^\| `([a-z-]+)` \|.* \w.*\. \|$", of_workloads, re.MULTILINE) == list(workloads)


def test_every_settings_class_of_a_deployed_process_is_a_group() -> None:
    names = {group.name for group in groups()}
    assert {"kafka", "clickhouse", "objects", "api", "ingest", "zoom", "secrets", "health", "log"} <= names
    assert "simulator" not in names


def test_secrets_are_known_as_such() -> None:
    (kafka,) = [group for group in groups() if group.name == "kafka"]
    secrets = {setting.name for setting in kafka.settings if setting.is_secret}
    assert secrets == {"registry_password", "ssl_key_password", "sasl_password", "oauth_client_secret"}
    assert all("default" not in setting.schema for setting in kafka.settings)


@pytest.mark.parametrize(
    ("made", "code", "said"),
    [
        ((CHART / "README.md").read_text(), 0, ""),
        ("another text", 1, "deploy/helm/rtms-pipeline/README.md is out of date: run make made\n"),
        (NoGo("no Go"), 0, "chart tools: no Go; the chart's README is left as it is\n"),
        (Unavailable("no network"), 1, "no network\n"),
        (Refused("helm-docs: no template"), 1, "helm-docs: no template\n"),
    ],
    ids=["as made", "stale", "no Go", "no network", "refused"],
)
def test_a_readme_that_is_not_as_made_fails_the_check(
    made: str | Exception, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def document(chart: Path) -> str:
        assert chart == CHART
        if isinstance(made, str):
            return made
        raise made

    monkeypatch.setattr(command, "documents", dict)
    monkeypatch.setattr(command.helm_docs, "document", document)
    monkeypatch.setattr(sys, "argv", ["scripts.chart", "--check"])
    assert command.main() == code
    assert capsys.readouterr().err == said
