"""Prometheus metrics with one naming rule. A room declares its metrics once, in its own `metrics.py`, through these.

Names are `rtms_<room>_<thing>_<unit>`; labels are few and bounded: a session, a participant or an address is no label.
"""

import re
from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

# From an idle hop between two processes to a speech recogniser on a busy machine.
LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

_NAME = re.compile(r"rtms_[a-z0-9]+(_[a-z0-9]+)+")
_UNBOUNDED = frozenset({"session_id", "participant_id", "offset", "project_id", "stream_id"})


def _checked(name: str, labels: Sequence[str]) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"metric name {name!r} is not rtms_<room>_<thing>")
    if _UNBOUNDED.intersection(labels):
        raise ValueError(f"metric {name}: {sorted(_UNBOUNDED.intersection(labels))} would grow without bound")
    return name


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    """Declare a counter; a second declaration of the name is an error."""
    return Counter(_checked(name, labels), documentation, labels)


def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
    """Declare a gauge; a second declaration of the name is an error."""
    return Gauge(_checked(name, labels), documentation, labels)


def histogram(
    name: str, documentation: str, labels: Sequence[str] = (), buckets: Sequence[float] = LATENCY_BUCKETS_S
) -> Histogram:
    """Declare a histogram, by default over seconds; a second declaration of the name is an error."""
    return Histogram(_checked(name, labels), documentation, labels, buckets=buckets)


SPANS = counter("rtms_host_spans", "Spans of sessions, by what became of them; none unless traces are on.", ["result"])
