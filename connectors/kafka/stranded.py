"""Notices that a client knows no broker any more, and has it given its brokers back (ADR 37).

An idle client cannot be told from one that is stranded by what it waits for; so this looks at what it knows. In an
outage it knows the brokers that it cannot reach.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from connectors.host.logs import get_logger
from connectors.kafka.metrics import STRANDED

log = get_logger(__name__)

LOOK_S = 10.0
"""Between two looks of one that only reads."""

LOOKS = 2
"""Without any broker, one after the other: what is new, or begins again by itself, knows none for a moment."""

LOST = "_NO_BROKERS"
"""The code of the error, beside the library's own, where they cannot be given back."""

_REAL = frozenset({"configured", "learned"})
_REACHED = "UP"


class _Broker(msgspec.Struct):
    source: str
    state: str


class _Statistics(msgspec.Struct):
    brokers: dict[str, _Broker]


_STATISTICS = msgspec.json.Decoder(_Statistics)


def knows_brokers(statistics: str) -> bool:
    """Whether there is one to connect to; a group's coordinator is listed beside them, known or not."""
    return any(broker.source in _REAL for broker in _STATISTICS.decode(statistics).brokers.values())


def reaches_brokers(statistics: str) -> bool:
    """Whether there is one that it is connected to."""
    return any(broker.state == _REACHED for broker in _STATISTICS.decode(statistics).brokers.values())


class Lookout:
    """Looks after one client, in the thread that polls it; `rescue` gives it its brokers back."""

    def __init__(self, client: str, rescue: Callable[[], object]) -> None:
        self._client = client
        self._rescue = rescue
        self._looks = 0

    def look(self, statistics: str) -> None:
        """At librdkafka's statistics. Says it once, and rescues at every look until a broker is known."""
        self._looks = 0 if knows_brokers(statistics) else self._looks + 1
        if self._looks == LOOKS:
            STRANDED.labels(self._client).inc()
            log.warning("kafka client knows no broker any more", client=self._client)
        if self._looks >= LOOKS:
            self._rescue()


def shown(every_s: float, *looks: Callable[[str], None]) -> dict[str, Any]:
    """The configuration of a client that shows its statistics to all of `looks`; it has to be polled."""

    def show(statistics: str) -> None:
        for look in looks:
            look(statistics)

    return {"statistics.interval.ms": round(every_s * 1000), "stats_cb": show}
