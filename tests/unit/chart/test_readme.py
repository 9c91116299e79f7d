"""helm-docs makes the chart's README, and what it cannot make is not passed over."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from scripts.chart import helm_docs
from scripts.chart.documents import CHART
from scripts.chart.go import NoGo
from tests.support.chart import run_helm


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A copy of ours that may be changed."""
    try:
        helm_docs.HELM_DOCS.build()
    except NoGo as reason:
        pytest.skip(str(reason))
    return Path(shutil.copytree(CHART, tmp_path / "chart"))


def change(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))


def test_it_is_what_is_there(chart: Path) -> None:
    assert helm_docs.document(chart) == (CHART / "README.md").read_text()


@pytest.mark.parametrize(
    ("file", "before", "after", "shown"),
    [
        ("values.yaml", '  tag: ""', '  tag: "1.2"', '| `image.tag` | `"1.2"` | '),
        ("values.yaml", "# -- REQUIRED: opens", "# -- REQUIRED: shuts | opens", "**REQUIRED**: shuts \\| opens"),
        ("values.yaml", "    replicas: 3\n", "    replicas: 33\n", "| `ingest` | 33 | 16 | 80 | 1 | 1Gi | 6Gi |"),
        ("README.md.gotmpl", "## Kafka", "## Kafka and Redpanda", "## Kafka and Redpanda"),
    ],
)
def test_a_change_is_seen(chart: Path, file: str, before: str, after: str, shown: str) -> None:
    change(chart / file, before, after)
    assert shown in helm_docs.document(chart)
    assert shown not in (CHART / "README.md").read_text()


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("values.yaml", "image:\n", "image: [\n"),
        ("README.md.gotmpl", "{{- range", "{{- rage"),
    ],
    ids=["no YAML", "no template"],
)
def test_what_cannot_be_made_is_refused(chart: Path, file: str, before: str, after: str) -> None:
    change(chart / file, before, after)
    with pytest.raises(helm_docs.Refused, match="helm-docs: .*level=warning"):
        helm_docs.document(chart)


def test_whatever_the_environment_says(chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_DOCS_TEMPLATE_FILES", "other.gotmpl")
    assert helm_docs.document(chart) == (CHART / "README.md").read_text()


def test_the_package_has_the_readme_alone(tmp_path: Path) -> None:
    run_helm("package", str(CHART), "--destination", str(tmp_path))
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as package:
        names = {Path(name).name for name in package.getnames()}
    assert {"README.md", "values.yaml"} <= names
    assert not [name for name in names if name.endswith(".gotmpl")]
