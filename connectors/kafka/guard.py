"""Looks after one producer: asks the cluster when its records do not move, and has `stuck` decide."""

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from connectors.host.clock import Clock, SystemClock
from connectors.host.logs import get_logger
from connectors.kafka.errors import Fatal
from connectors.kafka.leaders import led
from connectors.kafka.metrics import STANDING
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.stuck import Standstill, waiting

log = get_logger(__name__)

STUCK = "_STUCK"
"""The code of the error, beside the library's own."""


class _Answer(NamedTuple):
    asked: frozenset[Place]
    led: frozenset[Place]


class Guard:
    """Runs in the thread that polls the producer; only the question, which takes time, is asked in another one."""

    def __init__(
        self,
        settings: KafkaSettings,
        client: str,
        on_stuck: Callable[[Fatal], None],
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._client = client
        self._on_stuck = on_stuck
        self._clock = clock or SystemClock()
        self._standstill = Standstill()
        self._gauge = STANDING.labels(client)
        self._is_asking = False
        self._answer: _Answer | None = None

    def look(self, statistics: str) -> None:
        """At librdkafka's statistics, every `LOOK_S` of `stuck`."""
        self._standstill.look(waiting(statistics), self._clock.monotonic())
        if (answer := self._answer) is not None:
            self._answer = None
            self._hear(answer)
        suspects = self._standstill.suspects
        self._gauge.set(len(suspects))
        if suspects and not self._is_asking:
            self._is_asking = True
            threading.Thread(target=self._ask, args=(suspects,), name=f"guard-{self._client}", daemon=True).start()

    def _ask(self, suspects: frozenset[Place]) -> None:
        try:
            self._answer = _Answer(suspects, led(self._settings, suspects))
        except Exception as error:  # noqa: BLE001  the thread's edge; no answer is one too, and the next look asks again
            log.warning("leaders not known", client=self._client, error=type(error).__name__)
            self._answer = _Answer(suspects, frozenset())
        finally:
            self._is_asking = False

    def _hear(self, answer: _Answer) -> None:
        stuck = self._standstill.hear(answer.asked, answer.led)
        if stuck:
            self._on_stuck(broken(stuck))
        elif standing := self._standstill.suspects & answer.led:
            log.warning("kafka client stands still", client=self._client, partitions=len(standing))


def broken(stuck: Iterable[Place]) -> Fatal:
    """The error for who is stuck at these partitions."""
    names = ", ".join(str(place) for place in sorted(stuck))
    return Fatal(f"records do not move although their leader answers: {names}", code=STUCK)
