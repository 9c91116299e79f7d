"""Spans: nothing while they are off, over a real wire when they are on, and never anybody's trouble."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from pydantic import ValidationError

from connectors.host import traces
from connectors.host.configuration import NotConfigured
from connectors.host.settings import TracesSettings
from connectors.kafka.traced import traced
from deploy.local.ports import free_ports
from deploy.local.settings import REPOSITORY
from schemas import topics
from schemas.keys import item_key
from schemas.traces import SESSION, span_id, trace_id, traceparent
from tests.support.otlp import Otlp, collecting
from tests.support.processes import PATIENCE_S, wait_for

SESSION_ID = "app_traced"
OFF = """
import sys
from connectors.host import traces
from connectors.host.settings import TracesSettings
from connectors.kafka.traced import traced
from schemas import topics
traces.begin("s", TracesSettings())
with traces.spanning("app_x", "claim"):
    traces.span("app_x", "connect", 0)
assert traced(topics.SESSION_FACTS, b"app_x") == {} == traces.web_headers("app_x")
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""


@pytest.fixture
def otlp() -> Iterator[Otlp]:
    with collecting() as otlp:
        yield otlp


@pytest.fixture
def on(otlp: Otlp) -> Iterator[Otlp]:
    traces.begin("ingest", TracesSettings(endpoint=otlp.url))
    yield otlp
    traces.end()


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("rtms_host_spans_total", {"result": result}) or 0.0


def until(condition: object, what: str) -> None:
    wait_for(condition, PATIENCE_S, lambda: f"not in time: {what}")  # type: ignore[arg-type]


def test_off_means_that_nothing_is_loaded_and_nothing_said() -> None:
    subprocess.run([sys.executable, "-c", OFF], cwd=REPOSITORY, check=True)


def test_spans_of_a_session_are_one_trace_below_the_session(on: Otlp) -> None:
    with traces.spanning(SESSION_ID, "claim", "7", worker="w"):
        pass
    traces.past(SESSION_ID, SESSION, (1000, 3000), "")
    until(lambda: len(on.spans) == 2, "both spans")
    claim, session = sorted(on.spans, key=lambda span: span.name)
    assert {span.trace_id for span in on.spans} == {f"{trace_id(SESSION_ID):032x}"}
    assert session.span_id == claim.parent_id == f"{span_id(SESSION_ID, SESSION):016x}"
    assert (session.parent_id, session.started_ns, session.ended_ns) == ("", 1_000_000_000, 3_000_000_000)
    assert claim.span_id == f"{span_id(SESSION_ID, 'claim', '7'):016x}"
    assert (claim.service, claim.attributes) == ("ingest", {"session_id": SESSION_ID, "worker": "w"})
    assert claim.started_ns <= claim.ended_ns
    assert not claim.is_failed


def test_what_raises_has_failed_and_raises(on: Otlp) -> None:
    with pytest.raises(ValueError, match="secret"), traces.spanning(SESSION_ID, "claim"):
        raise ValueError("secret")
    until(lambda: on.spans, "the span")
    assert on.spans[0].is_failed
    assert "secret" not in str(on.spans[0])


def test_a_collector_that_refuses_is_said_once_and_its_spans_are_counted(
    on: Otlp, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    on.status, before = 400, counted("dropped")
    for number in (1, 2):
        traces.span(SESSION_ID, "connect", traces.now_ns())
        until(lambda number=number: counted("dropped") == before + number, "a dropped span")
    assert on.requests == 2
    on.status = 200
    traces.span(SESSION_ID, "connect", traces.now_ns())
    traces.end()
    assert len(on.spans) == 1
    said = caplog.text + "".join(capsys.readouterr())
    assert (said.count("traces are not taken, and dropped"), said.count("traces are taken again")) == (1, 1)


def test_requests_about_a_session_carry_its_trace(on: Otlp) -> None:
    assert traces.web_headers(SESSION_ID) == {"traceparent": traceparent(SESSION_ID)}


def test_records_about_a_session_carry_its_trace_and_frames_never_do(on: Otlp) -> None:
    header = {"headers": [("traceparent", traceparent(SESSION_ID).encode())]}
    assert traced(topics.SESSION_FACTS, SESSION_ID.encode()) == header
    assert traced(topics.TRANSCRIPTS, item_key(SESSION_ID, "utt_1")) == header
    for topic in (topics.AUDIO, topics.VIDEO, topics.PROJECTS):
        assert traced(topic, SESSION_ID.encode()) == {}
    assert traced(topics.SESSION_FACTS, None) == {}


def test_without_the_extra_a_start_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "connectors.host.collector", None)
    with pytest.raises(NotConfigured, match=r"RTMS_OTEL_ENDPOINT is set, .*pip install 'rtms-pipeline\[otel\]'"):
        traces.begin("ingest", TracesSettings(endpoint="http://127.0.0.1:4318"))
    assert not traces.is_on()


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector:4317", "http://"])
def test_an_endpoint_is_an_http_address(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        TracesSettings(endpoint=endpoint)


def test_nobody_there_holds_up_nobody() -> None:
    before = counted("dropped")
    traces.begin("ingest", TracesSettings(endpoint=f"http://127.0.0.1:{free_ports(1)[0]}"))
    for _ in range(5000):
        traces.span(SESSION_ID, "connect", 0)
    traces.end()
    assert not traces.is_on()
    assert "traces" not in {thread.name for thread in threading.enumerate()}
    assert counted("dropped") > before, "the queue is bounded"
