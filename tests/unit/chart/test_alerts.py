"""Every alert by Prometheus' own program: silent while all is well, there when it should be and no minute sooner.

By the promtool of this machine or Debian's; `make test-alerts` builds the current one and runs these by it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from scripts.chart.documents import CHART, workloads
from scripts.chart.promtool import promtool
from scripts.chart.tools import Unavailable
from tests.support.chart import smallest

COMPONENT = "app_kubernetes_io_component"
RUNNING = [name for name, facts in workloads().items() if "args" in facts]
BEGINS_M = 120
"""The minute in which trouble begins; a sample is taken every minute."""
ENDS_M = 240

ALWAYS = f"x{ENDS_M}"
BEFORE = f"x{BEGINS_M - 1}"
AFTER = f"x{ENDS_M - BEGINS_M}"


class Trouble(NamedTuple):
    """What is counted meanwhile, in promtool's notation.

    The alert has to have these labels. Its condition holds `after_m` minutes from `BEGINS_M` on; `is_over_m` minutes
    later it holds no more, where trouble was a moment.
    """

    series: Mapping[str, str]
    labels: Mapping[str, str] = {}
    after_m: int = 0
    is_over_m: int | None = None


def metric(name: str, **labels: str) -> str:
    """A series of the pod p in the namespace n."""
    every = {"namespace": "n", "pod": "p"} | labels
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in every.items()) + "}"


def event(name: str, is_over_m: int, **labels: str) -> list[Trouble]:
    """A counter's first event ever, which is the first that is heard of it, and one of many."""
    told = {label: value for label, value in labels.items() if label not in ("result", "status")}
    first, another = f"_x{BEGINS_M} 1{AFTER}", f"7{BEFORE} 8{AFTER}"
    return [Trouble({metric(name, **labels): values}, told, 0, is_over_m) for values in (first, another)]


def running(workload: str) -> str:
    """A series that every pod of ours has, of one of them in the namespace that is rendered for."""
    return metric("rtms_kafka_brokers_up", namespace="default", client="consumer", **{COMPONENT: workload})


TROUBLES: dict[str, list[Trouble]] = {
    "RtmsFramesLost": event("rtms_ingest_lost_total", 10, topic="rtms.video", cause="budget"),
    "RtmsRetentionOvertook": event("rtms_kafka_out_of_range_total", 60, topic="rtms.audio"),
    "RtmsSessionBroken": [
        Trouble({metric("rtms_ingest_session_failures_total"): f"0{BEFORE} 1{AFTER}"}, is_over_m=60),
    ],
    "RtmsRowsShort": event("rtms_sink_clickhouse_short_total", 60, table="utterances"),
    "RtmsRecordingFailed": event("rtms_sink_objects_movies_total", 60, result="recording_failed"),
    "RtmsComposedViewFailed": event("rtms_composing_recordings_total", 60, result="failed"),
    "RtmsUtterancesFailed": event("rtms_transcription_utterances_total", 60, engine="moonshine", result="failed"),
    "RtmsDeliveriesGivenUp": event("rtms_sink_webhooks_deliveries_total", 60, status="failed"),
    "RtmsDeadLetters": event("rtms_kafka_dead_letters_total", 60, topic="rtms.chat"),
    "RtmsNoWorker": [Trouble({metric("rtms_ingest_sessions"): f"5{BEFORE} stale"})],
    "RtmsNoLifecycle": [Trouble({metric("rtms_lifecycle_aborted_total"): f"0{BEFORE} stale"})],
    "RtmsKafkaUnreachable": [
        Trouble(
            {
                metric("rtms_kafka_brokers_up", client="producer"): f"1{ALWAYS}",
                metric("rtms_kafka_brokers_up", client="consumer"): f"1{BEFORE} 0{AFTER}",
            },
            {"pod": "p"},
        )
    ],
    "RtmsRecordsStandStill": [
        Trouble(
            {
                metric("rtms_kafka_standing_partitions", client="producer-media"): f"0{ALWAYS}",
                metric("rtms_kafka_standing_partitions", client="producer-video"): f"0{BEFORE} 1{AFTER}",
            },
            {"pod": "p"},
        )
    ],
    "RtmsClickHouseRefuses": [
        Trouble(
            {metric("rtms_sink_clickhouse_failures_total", at="write"): f"_x{BEGINS_M} 1+1{AFTER}"}, {"at": "write"}, 1
        )
    ],
    "RtmsObjectStorageRefuses": [
        Trouble(
            {metric("rtms_sink_objects_retries_total", what="segment"): f"_x{BEGINS_M} 1+1{AFTER}"},
            {"what": "segment"},
            1,
        )
    ],
    "RtmsRecordingsUnreadable": [
        Trouble({metric(name): f"3{BEFORE} 4+1{AFTER}"})
        for name in ("rtms_composing_retries_total", "rtms_transcription_side_retries_total")
    ],
    "RtmsDeletionUnfinished": [
        Trouble({metric(f"rtms_sink_{sink}_unerased_sessions"): f"0{BEFORE} 2{AFTER}"})
        for sink in ("objects", "clickhouse")
    ],
    "RtmsApiFails": [
        Trouble(
            {
                metric("rtms_api_requests_total", status="200"): f"0+600{ALWAYS}",
                metric("rtms_api_requests_total", status="503"): f"_x{BEGINS_M} 70+70{AFTER}",
            },
            after_m=2,
        )
    ],
    "RtmsWorkerFull": [Trouble({metric("rtms_ingest_sessions"): f"100{BEFORE} 101{AFTER}"}, {"pod": "p"})],
    "RtmsFallingBehind": [
        Trouble(
            {metric("rtms_kafka_lag_records", topic="rtms.audio"): f"0{BEFORE} 0+200{AFTER}"},
            {"topic": "rtms.audio"},
            6,
        )
    ],
    "RtmsRecogniserSlow": [
        Trouble(
            {
                metric("rtms_transcription_recognition_seconds_bucket", le=le): values
                for le, values in (
                    ("30.0", f"0{ALWAYS}"),
                    ("60.0", f"0{BEFORE} 0+10{AFTER}"),
                    ("+Inf", f"0{BEFORE} 0+10{AFTER}"),
                )
            },
            after_m=1,
        )
    ],
    "RtmsComposingBehind": [
        Trouble(
            {
                metric("rtms_composing_places"): f"2{ALWAYS}",
                metric("rtms_composing_under_way"): f"4{BEFORE} 5{AFTER}",
            }
        )
    ],
    "RtmsInputsPaused": [Trouble({metric("rtms_processors_paused_inputs"): f"0{BEFORE} 1{AFTER}"}, {"pod": "p"})],
    "RtmsWorkloadMissing": [
        Trouble(
            {running(name): f"1{BEFORE} stale" if name == "sink-objects" else f"1{ALWAYS}" for name in RUNNING},
            {"namespace": "default", COMPONENT: "sink-objects"},
        )
    ],
}

HEALTHY = {
    metric("rtms_ingest_lost_total", topic="rtms.video", cause="budget"): f"7{ALWAYS}",
    metric("rtms_kafka_out_of_range_total", topic="rtms.audio"): f"1{ALWAYS}",
    metric("rtms_ingest_session_failures_total"): f"0{ALWAYS}",
    metric("rtms_sink_clickhouse_short_total", table="utterances"): f"2{ALWAYS}",
    metric("rtms_sink_objects_movies_total", result="recording_stored"): f"0+1{ALWAYS}",
    metric("rtms_composing_recordings_total", result="written"): f"0+1{ALWAYS}",
    metric("rtms_transcription_utterances_total", engine="moonshine", result="final"): f"0+40{ALWAYS}",
    metric("rtms_sink_webhooks_deliveries_total", status="delivered"): f"0+90{ALWAYS}",
    metric("rtms_sink_webhooks_deliveries_total", status="failed"): f"2{ALWAYS}",
    metric("rtms_kafka_dead_letters_total", topic="rtms.chat"): f"3{ALWAYS}",
    metric("rtms_ingest_sessions"): f"100{ALWAYS}",
    metric("rtms_lifecycle_aborted_total"): f"0{ALWAYS}",
    metric("rtms_kafka_brokers_up", client="producer"): f"1{ALWAYS}",
    metric("rtms_kafka_standing_partitions", client="producer-video"): f"0{ALWAYS}",
    metric("rtms_sink_clickhouse_failures_total", at="write"): f"4{ALWAYS}",
    metric("rtms_sink_objects_retries_total", what="segment"): f"4{ALWAYS}",
    metric("rtms_composing_retries_total"): f"4{ALWAYS}",
    metric("rtms_transcription_side_retries_total"): f"4{ALWAYS}",
    metric("rtms_sink_objects_unerased_sessions"): f"0{ALWAYS}",
    metric("rtms_sink_clickhouse_unerased_sessions"): f"0{ALWAYS}",
    metric("rtms_api_requests_total", status="200"): f"0+600{ALWAYS}",
    metric("rtms_api_requests_total", status="503"): f"0+6{ALWAYS}",
    metric("rtms_kafka_lag_records", topic="rtms.audio"): f"5000-10{ALWAYS}",
    metric("rtms_kafka_lag_records", topic="rtms.video"): f"0+3{ALWAYS}",
    metric("rtms_transcription_recognition_seconds_bucket", le="1.0"): f"0+40{ALWAYS}",
    metric("rtms_transcription_recognition_seconds_bucket", le="+Inf"): f"0+40{ALWAYS}",
    metric("rtms_composing_places"): f"2{ALWAYS}",
    metric("rtms_composing_under_way"): f"4{ALWAYS}",
    metric("rtms_processors_paused_inputs"): f"0{ALWAYS}",
    **{running(name): f"1{ALWAYS}" for name in RUNNING},
}
"""A day like others: what was lost before is known, some requests fail, a reader catches up."""


@pytest.fixture(scope="module")
def program() -> str:
    try:
        return str(promtool())
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the operator would hand to Prometheus."""
    rendered = smallest(monitoring={"alerts": {"enabled": True}})
    (found,) = [manifest for manifest in rendered if manifest["kind"] == "PrometheusRule"]
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(yaml.dump(found["spec"]))
    return path


@pytest.fixture(scope="module")
def alerts(rules: Path) -> dict[str, dict[str, Any]]:
    return {alert["alert"]: alert for group in yaml.safe_load(rules.read_text())["groups"] for alert in group["rules"]}


def run(program: str, *arguments: str) -> None:
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def played(program: str, rules: Path, series: Mapping[str, str], expected: list[dict[str, Any]]) -> None:
    """Have promtool evaluate the rules minute by minute over these series."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": expected,
    }
    document = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}
    path = rules.with_name("test.yaml")
    path.write_text(yaml.dump(document))
    run(program, "test", "rules", str(path))


def summary(alert: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    return re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels[found[1]], alert["annotations"]["summary"])


def minutes(alert: Mapping[str, Any]) -> int:
    return int(alert.get("for", "0m").removesuffix("m"))


def test_every_alert_has_its_trouble(alerts: dict[str, dict[str, Any]]) -> None:
    assert list(TROUBLES) == list(alerts)


def test_prometheus_takes_every_rule(program: str, rules: Path) -> None:
    run(program, "check", "rules", "--lint=all", "--lint-fatal", str(rules))


def test_prometheus_takes_every_expression_of_the_dashboards(program: str, tmp_path: Path) -> None:
    expressions = [
        target["expr"].replace("$__rate_interval", "5m").replace("$namespace", ".*")
        for path in sorted((CHART / "dashboards").glob("*.json"))
        for panel in json.loads(path.read_text())["panels"]
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == "prometheus"
    ]
    assert len(expressions) > 30
    recorded = [{"record": f"dashboards:{number}", "expr": expr} for number, expr in enumerate(expressions)]
    path = tmp_path / "dashboards.yaml"
    path.write_text(yaml.dump({"groups": [{"name": "dashboards", "rules": recorded}]}))
    run(program, "check", "rules", str(path))


def test_nothing_is_said_while_all_is_well(program: str, rules: Path, alerts: dict[str, dict[str, Any]]) -> None:
    expected = [
        {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}
        for alert in alerts
        for minute in range(BEGINS_M, ENDS_M, 5)
    ]
    played(program, rules, HEALTHY, expected)


@pytest.mark.parametrize(("name", "trouble"), [(name, each) for name, all_ in TROUBLES.items() for each in all_])
def test_it_is_there_in_time_and_not_before(
    program: str, rules: Path, alerts: dict[str, dict[str, Any]], name: str, trouble: Trouble
) -> None:
    alert = alerts[name]
    labels = {} if name.startswith("RtmsNo") else {"namespace": "n", **trouble.labels}
    there = {
        "exp_labels": labels | alert["labels"],
        "exp_annotations": {"summary": summary(alert, labels)},
    }
    holds_m = BEGINS_M + trouble.after_m + minutes(alert)
    expected = [
        {"eval_time": f"{BEGINS_M - 1}m", "alertname": name, "exp_alerts": []},
        {"eval_time": f"{holds_m - 1}m", "alertname": name, "exp_alerts": []},
        {"eval_time": f"{holds_m}m", "alertname": name, "exp_alerts": [there]},
    ]
    if trouble.is_over_m is not None:
        over_m = BEGINS_M + trouble.is_over_m
        expected += [
            {"eval_time": f"{over_m - 2}m", "alertname": name, "exp_alerts": [there]},
            {"eval_time": f"{over_m + 1}m", "alertname": name, "exp_alerts": []},
        ]
    played(program, rules, trouble.series, expected)
