"""The dashboards of what Prometheus has, as tables of panels; `session_lists` is the one of what ClickHouse has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scripts.chart.grafana import Json, Page, datasource, page


class Panel(NamedTuple):
    """One graph: PromQL by legend, in Grafana's unit."""

    title: str
    unit: str
    series: Mapping[str, str]


class Dashboard(NamedTuple):
    """One page; panels stand two in a row below their heading."""

    uid: str
    title: str
    rows: Mapping[str, Sequence[Panel]]


_WORKLOAD = "app_kubernetes_io_component"
_LEGEND = f"{{{{{_WORKLOAD}}}}}"


def _rate(metric: str, by: str) -> str:
    return f'sum by ({by}) (rate({metric}{{namespace=~"$namespace"}}[$__rate_interval]))'


def _increase(metric: str, by: str) -> str:
    return f'sum by ({by}) (increase({metric}{{namespace=~"$namespace"}}[$__rate_interval]))'


def _lost(metric: str, by: str) -> str:
    """Of a counter that is there from its first event on, which an increase does not see."""
    metric = f'{metric}{{namespace=~"$namespace"}}'
    return (
        f"sum by ({by}) ({metric} unless {metric} offset $__rate_interval) > 0"
        f" or sum by ({by}) (increase({metric}[$__rate_interval]))"
    )


def _gauge(metric: str, by: str) -> str:
    return f'sum by ({by}) ({metric}{{namespace=~"$namespace"}})'


def _most(metric: str, by: str) -> str:
    return f'max by ({by}) ({metric}{{namespace=~"$namespace"}})'


def _of_the_busiest(expression: str) -> str:
    """By workload; of what every process says, ours are those that the ServiceMonitor gives this label."""
    ours = f'namespace=~"$namespace", {_WORKLOAD}!=""'
    return f"max by ({_WORKLOAD}) ({expression.replace('OURS', ours)})"


def _quantile(metric: str, quantile: float, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({quantile}, {_rate(f'{metric}_bucket', labels)})"


DASHBOARDS = (
    Dashboard(
        "rtms-meetings",
        "RTMS: meetings",
        {
            "Live": [
                Panel("Sessions by worker", "short", {"{{pod}}": _gauge("rtms_ingest_sessions", "pod")}),
                Panel("Frames from Zoom", "pps", {"{{topic}}": _rate("rtms_ingest_frames_total", "topic")}),
                Panel(
                    "Changes of sessions", "short", {"{{state}}": _increase("rtms_lifecycle_changes_total", "state")}
                ),
                Panel(
                    "Moved between workers",
                    "short",
                    {
                        "claimed": _increase("rtms_ingest_claims_total", "namespace"),
                        "let go": _increase("rtms_ingest_let_go_total", "namespace"),
                    },
                ),
            ],
            "What was lost": [
                Panel(
                    "Frames not in Kafka",
                    "short",
                    {"{{topic}} {{cause}}": _lost("rtms_ingest_lost_total", "topic, cause")},
                ),
                Panel("Dead letters", "short", {"{{topic}}": _lost("rtms_kafka_dead_letters_total", "topic")}),
                Panel("Taken by retention", "short", {"{{topic}}": _lost("rtms_kafka_out_of_range_total", "topic")}),
                Panel(
                    "Incomplete results",
                    "short",
                    {
                        "rows missing in {{table}}": _lost("rtms_sink_clickhouse_short_total", "table"),
                        "recordings: {{result}}": _lost("rtms_sink_objects_movies_total", "result"),
                        "utterances: {{result}}": _lost("rtms_transcription_utterances_total", "result"),
                    },
                ),
            ],
            "Webhooks": [
                Panel("Attempts", "reqps", {"{{outcome}}": _rate("rtms_sink_webhooks_attempts_total", "outcome")}),
                Panel(
                    "Receivers of sessions that fail",
                    "short",
                    {
                        "failing": _gauge("rtms_sink_webhooks_failing", "namespace"),
                        "deliveries waiting": _gauge("rtms_sink_webhooks_waiting", "namespace"),
                    },
                ),
                Panel(
                    "Subscriptions that fail most (sessions)",
                    "short",
                    {"{{subscription_id}}": _gauge("rtms_sink_webhooks_failing_most", "subscription_id")},
                ),
                Panel(
                    "Deliveries over", "short", {"{{status}}": _lost("rtms_sink_webhooks_deliveries_total", "status")}
                ),
                Panel(
                    "News to first answer", "s", {"p95": _quantile("rtms_sink_webhooks_first_attempt_seconds", 0.95)}
                ),
            ],
            "The API": [
                Panel("Requests", "reqps", {"{{status}}": _rate("rtms_api_requests_total", "status")}),
                Panel(
                    "Time to answer",
                    "s",
                    {
                        f"p{quantile * 100:g}": _quantile("rtms_api_request_seconds", quantile)
                        for quantile in (0.5, 0.99)
                    },
                ),
            ],
        },
    ),
    Dashboard(
        "rtms-pipeline",
        "RTMS: pipeline",
        {
            "Kafka": [
                Panel("Written", "pps", {"{{topic}}": _rate("rtms_kafka_delivered_records_total", "topic")}),
                Panel(
                    "Waiting to be sent",
                    "short",
                    {"{{pod}} {{producer}}": _gauge("rtms_kafka_queued_records", "pod, producer")},
                ),
                Panel(
                    "Still to be read", "short", {"{{pod}} {{topic}}": _gauge("rtms_kafka_lag_records", "pod, topic")}
                ),
                Panel(
                    "Clients without brokers",
                    "short",
                    {"{{pod}}": 'count by (pod) (rtms_kafka_brokers_up{namespace=~"$namespace"} == 0)'},
                ),
                Panel(
                    "Not taken by Kafka",
                    "short",
                    {"{{topic}} {{code}}": _increase("rtms_kafka_delivery_failed_records_total", "topic, code")},
                ),
            ],
            "Processors": [
                Panel("Records taken", "pps", {"{{topic}}": _rate("rtms_processors_records_total", "topic")}),
                Panel("Held in open windows", "bytes", {"{{pod}}": _gauge("rtms_processors_held_bytes", "pod")}),
                Panel("Sessions in memory", "short", {"{{pod}}": _gauge("rtms_processors_sessions", "pod")}),
                Panel("Inputs paused", "short", {"{{pod}}": _gauge("rtms_processors_paused_inputs", "pod")}),
                Panel(
                    "Speech recognised per second",
                    "s",
                    {"{{pod}}": _rate("rtms_transcription_speech_seconds_total", "pod")},
                ),
                Panel(
                    "Waiting for a recogniser", "s", {"p95": _quantile("rtms_transcription_recognition_seconds", 0.95)}
                ),
                Panel("Segments", "short", {"{{pod}}": _increase("rtms_muxing_segments_total", "pod")}),
                Panel("Window to output", "s", {"p95": _quantile("rtms_processors_render_seconds", 0.95)}),
            ],
            "Words while they are said": [
                Panel("Partials", "reqps", {"{{result}}": _rate("rtms_transcription_partials_total", "result")}),
                Panel("Age of a partial", "s", {"p95": _quantile("rtms_transcription_partial_seconds", 0.95)}),
                Panel(
                    "Heard by a speech service meanwhile",
                    "reqps",
                    {"{{result}}": _rate("rtms_transcription_dictations_total", "result")},
                ),
                Panel(
                    "Speech services' answers",
                    "reqps",
                    {"{{engine}} {{result}}": _rate("rtms_transcription_attempts_total", "engine, result")},
                ),
            ],
            "After the end": [
                Panel(
                    "Recordings to be drawn",
                    "short",
                    {
                        "due": _gauge("rtms_composing_under_way", "namespace"),
                        "at a time": _gauge("rtms_composing_places", "namespace"),
                    },
                ),
                Panel(
                    "What came of them",
                    "short",
                    {
                        "{{result}}": _lost("rtms_composing_recordings_total", "result"),
                        "begun anew": _increase("rtms_composing_retries_total", "namespace"),
                    },
                ),
                Panel(
                    "Side transcripts to be made",
                    "short",
                    {"{{pod}}": _gauge("rtms_transcription_side_transcripts_under_way", "pod")},
                ),
                Panel(
                    "What came of those",
                    "short",
                    {
                        "{{result}}": _lost("rtms_transcription_side_transcripts_total", "result"),
                        "begun anew": _increase("rtms_transcription_side_retries_total", "namespace"),
                    },
                ),
            ],
            "Sinks": [
                Panel("Rows", "wps", {"{{table}}": _rate("rtms_sink_clickhouse_rows_total", "table")}),
                Panel("A batch of rows", "s", {"p95": _quantile("rtms_sink_clickhouse_write_seconds", 0.95)}),
                Panel("Segments stored", "Bps", {"{{pod}}": _rate("rtms_sink_objects_segment_bytes_total", "pod")}),
                Panel("End to recording", "s", {"p95": _quantile("rtms_sink_objects_movie_seconds", 0.95)}),
                Panel(
                    "Tried again",
                    "short",
                    {
                        "rows: {{at}}": _increase("rtms_sink_clickhouse_failures_total", "at"),
                        "objects: {{what}}": _increase("rtms_sink_objects_retries_total", "what"),
                    },
                ),
                Panel("Held and not stored", "bytes", {"{{pod}}": _gauge("rtms_sink_objects_held_bytes", "pod")}),
            ],
            "How near to capacity": [
                Panel(
                    "Cores of the busiest process (one is all that most can use)",
                    "short",
                    {_LEGEND: _of_the_busiest("rate(process_cpu_seconds_total{OURS}[$__rate_interval])")},
                ),
                Panel(
                    "Memory of the largest process",
                    "bytes",
                    {_LEGEND: _of_the_busiest("process_resident_memory_bytes{OURS}")},
                ),
                Panel(
                    "Sessions of the fullest worker (plan for 80 to 100)",
                    "short",
                    {"{{namespace}}": _most("rtms_ingest_sessions", "namespace")},
                ),
                Panel(
                    "Sessions whose state is held",
                    "short",
                    {
                        "API": _most("rtms_api_sessions", "namespace"),
                        "lifecycle": _most("rtms_lifecycle_states", "namespace"),
                    },
                ),
            ],
        },
    ),
)

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def document(dashboard: Dashboard) -> str:
    """What Grafana imports."""
    variables = [datasource("prometheus", "Prometheus"), _namespace()]
    about = Page(dashboard.uid, dashboard.title, variables, refresh="30s", since="now-3h")
    return page(about, {heading: [_graph(panel) for panel in row] for heading, row in dashboard.rows.items()}, beside=2)


def _graph(panel: Panel) -> Json:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
        for index, (legend, expression) in enumerate(panel.series.items())
    ]
    return {
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


def _namespace() -> Json:
    return {
        "name": "namespace",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(rtms_ingest_sessions, namespace)",
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "refresh": 2,
    }
