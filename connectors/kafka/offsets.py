"""Where partitions end, asked of the broker.

The high watermark (read uncommitted) unless asked otherwise: with a transaction open, the end that a read-committed
reader is told lies before records whose offsets may already be committed elsewhere, and a state read "to the end" would
be an old one.

While a broker comes up the library answers now and then with no error and no offset. Whoever took that for an end would
have read to it before it began, and believe that there is nothing.
"""

import math
import time
from collections.abc import Iterable
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress

from confluent_kafka import OFFSET_INVALID, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from connectors.host.backoff import delays_s
from connectors.host.clock import Clock, SystemClock
from connectors.kafka.brokers import give_back
from connectors.kafka.errors import KafkaError, TimedOut, translate
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings

RESCUE_S = 15.0
"""Between two times that one's brokers are given back: the library keeps each."""


class OffsetDirectory:
    """Asks for first and end offsets of any number of partitions in one request; safe to use from any thread."""

    def __init__(self, settings: KafkaSettings, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._settings = settings
        self._admin = AdminClient(settings.admin_config())
        self._rescued_s = -math.inf

    def ends(self, places: Iterable[Place], timeout_s: float = 10.0) -> dict[Place, int]:
        """The offset that the next record of each partition will get. Raises TimedOut and KafkaError."""
        return self._ask(places, OffsetSpec.latest(), timeout_s)  # type: ignore[no-untyped-call]

    def stable_ends(self, places: Iterable[Place], timeout_s: float = 10.0) -> dict[Place, int]:
        """The offset up to which transactions are decided: for readers to whom one that is still open does not matter.

        Raises TimedOut and KafkaError.
        """
        isolation = IsolationLevel.READ_COMMITTED
        return self._ask(places, OffsetSpec.latest(), timeout_s, isolation)  # type: ignore[no-untyped-call]

    def starts(self, places: Iterable[Place], timeout_s: float = 10.0) -> dict[Place, int]:
        """The first offset of each partition that still exists."""
        return self._ask(places, OffsetSpec.earliest(), timeout_s)  # type: ignore[no-untyped-call]

    def since(self, places: Iterable[Place], at_ms: int, timeout_s: float = 10.0) -> dict[Place, int | None]:
        """The first offset of each partition that was appended at `at_ms` or later; None where there is none yet."""
        spec = OffsetSpec.for_timestamp(at_ms)
        return {place: None if offset < 0 else offset for place, offset in self._ask(places, spec, timeout_s).items()}

    def _ask(
        self,
        places: Iterable[Place],
        spec: OffsetSpec,
        timeout_s: float,
        isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
    ) -> dict[Place, int]:
        wanted = {TopicPartition(place.topic, place.partition): spec for place in places}
        deadline = self._clock.monotonic() + timeout_s
        for delay_s in delays_s(0.05, longest_s=1.0):
            try:
                return self._asked_once(wanted, max(0.1, deadline - self._clock.monotonic()), isolation)
            except KafkaError as error:
                if not error.retryable:
                    raise
                if self._clock.monotonic() + delay_s > deadline:
                    self._rescue()
                    raise
            self._look_again(wanted, max(0.1, deadline - self._clock.monotonic()))
            time.sleep(delay_s)
        raise AssertionError("the delays never end")

    def _rescue(self) -> None:
        """Nobody polls this client, so nothing shows whether it still knows brokers: it is given them anyway."""
        now_s = self._clock.monotonic()
        if now_s - self._rescued_s >= RESCUE_S:
            self._rescued_s = now_s
            if not give_back(self._admin, self._settings.bootstrap_servers):
                self._admin = AdminClient(self._settings.admin_config())

    def _look_again(self, wanted: Iterable[TopicPartition], timeout_s: float) -> None:
        """Learn who leads now: by itself the library asks whoever led when it last looked, for minutes."""
        for topic in {place.topic for place in wanted}:
            with suppress(KafkaException):
                self._admin.list_topics(topic, timeout=timeout_s)

    def _asked_once(
        self, wanted: dict[TopicPartition, OffsetSpec], timeout_s: float, isolation: IsolationLevel
    ) -> dict[Place, int]:
        if not wanted:
            return {}
        try:
            answers = self._admin.list_offsets(wanted, isolation_level=isolation, request_timeout=timeout_s)
            found = {
                Place(item.topic, item.partition): answer.result(timeout_s).offset for item, answer in answers.items()
            }
        except KafkaException as error:
            raise translate(error) from error
        except FutureTimeoutError:
            raise TimedOut("no offsets within the time given") from None
        if OFFSET_INVALID in found.values():  # the library's answer, with no error, where the broker has given none
            raise TimedOut("no offset of some partition")
        return found
