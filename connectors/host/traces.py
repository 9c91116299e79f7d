"""Spans of App Sessions for whoever collects traces; off, and then nothing but a look at a variable, until `begin`.

A room says what took how long (`spanning`, `span`), as it counts metrics and writes a log. Names are constants, and
attributes are few: no participant, no word, no address, no secret. Frames have no spans: there are fifty a second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from connectors.host.clock import SystemClock
from connectors.host.configuration import NotConfigured
from connectors.host.settings import TracesSettings
from connectors.host.spans import Attribute, Span
from schemas import traces

_clock = SystemClock()


class Collector(Protocol):
    """Where spans go; `add` never waits and never raises."""

    def add(self, span: Span) -> None: ...

    def close(self) -> None: ...


_collector: Collector | None = None


def begin(service: str, settings: TracesSettings) -> None:
    """Send spans from here on, if an endpoint is set. Raises NotConfigured."""
    if not settings.endpoint:
        return
    try:
        from connectors.host.collector import OtlpCollector
    except ImportError:
        raise NotConfigured(
            "RTMS_OTEL_ENDPOINT is set, but OpenTelemetry is not installed: "
            "pip install 'rtms-pipeline[otel]', or leave the setting out"
        ) from None
    use(OtlpCollector(service, settings.endpoint))


def use(collector: Collector | None) -> None:
    """Give spans to this one from here on; None to nobody."""
    global _collector
    _collector = collector


def end() -> None:
    """Send what is left, for a moment, and no more."""
    if _collector is not None:
        _collector.close()
        use(None)


def is_on() -> bool:
    """Whether anybody collects."""
    return _collector is not None


def now_ns() -> int:
    """When something begins that `span` will be told of."""
    return _clock.now_us() * 1000


def span(session_id: str, name: str, started_ns: int, which: str | None = None, **attributes: Attribute) -> None:
    """Something that began then and ends now. `which` tells those of a name apart, without it their beginning does."""
    if _collector is not None:
        told = str(started_ns) if which is None else which
        _collector.add(Span(session_id, name, told, started_ns, now_ns(), attributes))


def past(session_id: str, name: str, began_and_ended_ms: tuple[int, int], which: str, **attributes: Attribute) -> None:
    """Something that the log says when it was, in Unix milliseconds."""
    if _collector is not None:
        began_ms, ended_ms = began_and_ended_ms
        _collector.add(Span(session_id, name, which, began_ms * 1_000_000, ended_ms * 1_000_000, attributes))


@contextmanager
def spanning(session_id: str, name: str, which: str | None = None, **attributes: Attribute) -> Iterator[None]:
    """What happens inside; what raises has failed."""
    collector = _collector
    if collector is None:
        yield
        return
    started_ns = now_ns()
    is_failed = True
    try:
        yield
        is_failed = False
    finally:
        told = str(started_ns) if which is None else which
        collector.add(Span(session_id, name, told, started_ns, now_ns(), attributes, is_failed))


def web_headers(session_id: str) -> dict[str, str]:
    """The header of a request about a session; none while nobody collects."""
    return {} if _collector is None else {traces.HEADER: traces.traceparent(session_id)}


def headers(session_id: str | None) -> list[tuple[str, str | bytes | None]] | None:
    """The header of a record about a session; None while nobody collects."""
    if _collector is None or session_id is None:
        return None
    return [(traces.HEADER, traces.traceparent(session_id).encode())]
