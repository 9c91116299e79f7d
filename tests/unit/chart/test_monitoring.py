"""Dashboards and alerts ask only for what the program says, in the words that it says it in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from prometheus_client import PROCESS_COLLECTOR

from schemas.records import DeliveryStatus, UtteranceStatus
from schemas.session_records import FactKind
from scripts.chart.catalogue import REPOSITORY
from scripts.chart.documents import CHART, workloads
from scripts.chart.metrics_reference import rooms
from scripts.chart.tools import Unavailable, promql_folder
from tests.support.chart import missing_helm, smallest
from tests.support.chart_values import EVERYTHING
from tests.support.promql import grouped_by, selectors

# Given by Kubernetes and the ServiceMonitor, not by us.
COMPONENT = "app_kubernetes_io_component"
FOREIGN_LABELS = {"namespace", "pod", "service", "job", "instance", "le", COMPONENT}
VALUES = {
    ("rtms_sink_objects_movies_total", "result"): {FactKind.RECORDING_STORED, FactKind.RECORDING_FAILED},
    ("rtms_transcription_utterances_total", "result"): {*UtteranceStatus, "wordless"},
    ("rtms_composing_recordings_total", "result"): {"written", "failed"},
    ("rtms_sink_webhooks_deliveries_total", "status"): {*DeliveryStatus, "withdrawn"},
    ("rtms_api_requests_total", "status"): {"5.."},
}


class Asked(NamedTuple):
    """One expression and where it stands."""

    place: str
    expression: str


def _alerts() -> Iterator[dict[str, object]]:
    if missing_helm():  # nothing here is run then, but it is collected
        return
    rendered = smallest(monitoring={"alerts": {"enabled": True}})
    (rules,) = [manifest for manifest in rendered if manifest["kind"] == "PrometheusRule"]
    for group in rules["spec"]["groups"]:
        yield from group["rules"]


def _expressions() -> Iterator[Asked]:
    for alert in _alerts():
        yield Asked(str(alert["alert"]), str(alert["expr"]))
    yield from (asked for asked, _ in _graphs())


def _graphs() -> Iterator[tuple[Asked, str]]:
    """Each expression of the dashboards that ask Prometheus, with its legend."""
    for path in sorted((CHART / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                if target["datasource"]["type"] == "prometheus":
                    expression = target["expr"].replace("$__rate_interval", "5m").replace("$namespace", ".*")
                    yield Asked(f"{path.stem}: {panel['title']}", expression), target["legendFormat"]


ASKED = list(_expressions())


@pytest.fixture(scope="module", autouse=True)
def _parser() -> None:
    try:
        promql_folder()
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Every sample name that the program can give, with its labels."""
    declared = [metric for metrics in rooms().values() for metric in metrics]
    ours = {sample: set(metric.labels) for metric in declared for sample in metric.samples}
    of_any_process = {
        sample.name: set(sample.labels) for told in PROCESS_COLLECTOR.collect() for sample in told.samples
    }
    return ours | of_any_process


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.place)
def test_every_metric_and_label_is_exported(asked: Asked, exported: dict[str, set[str]]) -> None:
    found = selectors(asked.expression)
    assert found, "an expression that asks for nothing"
    known: set[str] = set()
    for selector in found:
        assert selector.metric in exported
        known |= exported[selector.metric]
        assert selector.labels.keys() <= exported[selector.metric] | FOREIGN_LABELS
        for label, value in selector.labels.items():
            assert label in FOREIGN_LABELS or value in VALUES[selector.metric, label]
    assert grouped_by(asked.expression) <= known | FOREIGN_LABELS


@pytest.mark.parametrize("workload", [name for name, facts in workloads().items() if "scalesOn" in facts])
def test_what_a_workload_scales_on_is_exported_by_it(workload: str) -> None:
    room = f"{workload.replace('processor-', 'processors.')}.metrics"
    assert workloads()[workload]["scalesOn"] in {metric.name for metric in rooms()[room]}


def test_the_label_that_tells_workloads_apart_is_given_to_every_sample() -> None:
    rendered = smallest(monitoring={"serviceMonitor": {"enabled": True}})
    (monitor,) = [manifest for manifest in rendered if manifest["kind"] == "ServiceMonitor"]
    assert [re.sub(r"[^a-z]", "_", label) for label in monitor["spec"]["targetLabels"]] == [COMPONENT]


def test_a_legend_names_labels_that_its_expression_keeps() -> None:
    for asked, legend in _graphs():
        assert set(re.findall(r"{{(\w+)}}", legend)) <= grouped_by(asked.expression)


def test_every_dashboard_is_installed_and_asks_the_source_that_its_viewer_chose() -> None:
    rendered = smallest(monitoring={"dashboards": {"enabled": True}})
    (installed,) = [one["data"] for one in rendered if one["metadata"]["name"].endswith("-dashboards")]
    asked = {name: json.loads(text) for name, text in installed.items()}
    assert {name: _plugins(page) for name, page in asked.items()} == {
        "rtms-meetings.json": {"prometheus"},
        "rtms-pipeline.json": {"prometheus"},
        "rtms-sessions.json": {"grafana-clickhouse-datasource"},
    }


def _plugins(page: dict[str, Any]) -> set[str]:
    variables = page["templating"]["list"]
    chosen = [one["query"] for one in variables if one["type"] == "datasource"]
    panels = [panel for panel in page["panels"] if "targets" in panel]
    sources = [one["datasource"] for one in (*variables, *panels) if "datasource" in one]
    sources += [target["datasource"] for panel in panels for target in panel["targets"]]
    assert {source["uid"] for source in sources} == {"${datasource}"}
    return {*chosen, *(source["type"] for source in sources)}


def test_an_alert_names_labels_that_its_expression_keeps() -> None:
    for alert in _alerts():
        annotations = alert["annotations"]
        assert isinstance(annotations, dict)
        named = set(re.findall(r"\$labels\.(\w+)", annotations["summary"]))
        assert named <= grouped_by(str(alert["expr"])), alert["alert"]


def test_the_workloads_that_are_wanted_are_missed() -> None:
    def missed(**values: object) -> set[str]:
        rendered = smallest(monitoring={"alerts": {"enabled": True}}, **values)
        (rules,) = [one["spec"]["groups"][-1]["rules"] for one in rendered if one["kind"] == "PrometheusRule"]
        (alert,) = [rule for rule in rules if rule["alert"] == "RtmsWorkloadMissing"]
        return {selector.labels[COMPONENT] for selector in selectors(alert["expr"])}

    running = {name for name, facts in workloads().items() if "args" in facts}
    own = {"ingest", "processor-lifecycle"}
    assert missed(**EVERYTHING) == running - own
    assert missed() == running - own - {"processor-composing"}


def test_every_alert_is_in_the_runbook_and_nothing_else_is() -> None:
    headings = re.findall(r"^## (Rtms\w+)$", (REPOSITORY / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert headings == [alert["alert"] for alert in _alerts()]


def test_what_is_wrong_is_found(exported: dict[str, set[str]]) -> None:
    assert "rtms_ingest_frames" not in exported, "counters are asked for by their full name"
    with pytest.raises(ValueError, match="rate"):
        selectors("rate(rtms_ingest_frames_total[5m)")
