"""Sends spans to a collector of OpenTelemetry: OTLP over HTTP, in batches, from a thread of its own.

Nobody ever waits for it: what does not fit into the queue is dropped and counted, and so is a batch that the collector
does not take. That it does not is said once, and once when it does again.
"""

import logging
import queue
import threading

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from connectors.host.logs import get_logger
from connectors.host.metrics import SPANS
from connectors.host.spans import Span
from schemas import traces

log = get_logger(__name__)

QUEUED = 4096
BATCH = 512
LINGER_S = 1.0
TIMEOUT_S = 5.0
CLOSE_S = 2.0


class OtlpCollector:
    """`endpoint` is the collector's base address, as in OTEL_EXPORTER_OTLP_ENDPOINT."""

    def __init__(self, service: str, endpoint: str) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it reports every attempt; we say it once
        self._exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_S)
        self._resource = Resource.create({"service.name": service, "service.namespace": "rtms-pipeline"})
        self._queue: queue.Queue[Span] = queue.Queue(QUEUED)
        self._closing, self._closed = threading.Event(), threading.Event()
        self._is_refused = False
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def add(self, span: Span) -> None:
        """Send it soon, or drop it."""
        try:
            self._queue.put_nowait(span)
        except queue.Full:
            SPANS.labels("dropped").inc()

    def close(self) -> None:
        """Send what is queued, if that takes no more than a moment."""
        self._closing.set()
        self._thread.join(CLOSE_S)
        self._closed.set()
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not (self._closed.is_set() or (self._closing.is_set() and self._queue.empty())):
            if self._queue.qsize() < BATCH:
                self._closing.wait(LINGER_S)
            batch: list[Span] = []
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            if batch:
                self._send(batch)

    def _send(self, batch: list[Span]) -> None:
        try:
            written = [readable(span, self._resource) for span in batch]
            is_taken = self._exporter.export(written) is SpanExportResult.SUCCESS
        except Exception:  # noqa: BLE001  whatever the library meets: traces are never worth a process
            is_taken = False
        SPANS.labels("sent" if is_taken else "dropped").inc(len(batch))
        if is_taken and self._is_refused:
            log.info("traces are taken again")
        elif not is_taken and not self._is_refused and not self._closed.is_set():
            log.warning("traces are not taken, and dropped", spans=len(batch))
        self._is_refused = not is_taken


def readable(span: Span, resource: Resource) -> ReadableSpan:
    """The library's form of a span, with the session's derived ids."""
    name, attributes = span.name, {"session_id": span.session_id, **span.attributes}
    return ReadableSpan(
        name,
        context=_context(span.session_id, name, span.which),
        parent=None if name == traces.SESSION else _context(span.session_id, traces.SESSION),
        resource=resource,
        attributes=attributes,
        status=Status(StatusCode.ERROR if span.is_failed else StatusCode.UNSET),
        start_time=span.started_ns,
        end_time=max(span.started_ns, span.ended_ns),
    )


def _context(session_id: str, name: str, which: str = "") -> SpanContext:
    return SpanContext(
        trace_id=traces.trace_id(session_id),
        span_id=traces.span_id(session_id, name, which),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
