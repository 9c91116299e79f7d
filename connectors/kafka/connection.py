"""Whether a client reaches its brokers, as a state that changes, not as a stream of errors.

librdkafka reports a lost broker about twice a second for as long as it is away. One line when it goes and one when it
comes back is what somebody wants to read.
"""

import logging
from typing import Any

from confluent_kafka import KafkaError as LibraryError

from connectors.host.logs import get_logger
from connectors.kafka.errors import Fatal
from connectors.kafka.metrics import BROKERS_UP
from connectors.kafka.stranded import reaches_brokers

log = get_logger(__name__)

# The library's own lines go through the standard logger, where the noise filter counts repetitions.
LIBRARY_LOG = logging.getLogger("librdkafka")

FETCH_WAIT_MS = 250
"""How long a fetch takes that finds nothing: most of what an idle broker does is to answer these. A record ends it at
once; a partition that is assigned meanwhile, and an end behind a transaction marker, may wait for the next."""

CALM_FETCH_WAIT_MS = 1_000
"""The same for who reads the same partitions from start to end, where nobody writes in transactions: nothing waits."""


class Connection:
    """The error callback of one client and what it has learned from it."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._gauge = BROKERS_UP.labels(client)
        self._gauge.set(1)
        self.is_up = True
        self.fatal: Fatal | None = None

    def on_error(self, error: LibraryError) -> None:
        """librdkafka's `error_cb`."""
        if error.code() == LibraryError._ALL_BROKERS_DOWN and self.is_up:
            self.is_up = False
            self._gauge.set(0)
            log.warning("kafka unreachable", client=self._client)

    def on_fatal(self, error: Fatal) -> None:
        """The client is broken for good: said by the library, which raises it from its calls only, or by its guard."""
        if self.fatal is None:
            self.fatal = error
            log.error("kafka client broken", client=self._client, code=error.code, reason=str(error))

    def on_success(self) -> None:
        """Something was answered; cheap enough for every record."""
        if not self.is_up:
            self.is_up = True
            self._gauge.set(1)
            log.info("kafka reachable again", client=self._client)

    def look(self, statistics: str) -> None:
        """At librdkafka's statistics: to who has nothing to send or to read, nothing is answered."""
        if not self.is_up and reaches_brokers(statistics):
            self.on_success()

    def config(self) -> dict[str, Any]:
        """What to put into the client's configuration; the caller passes `logger=LIBRARY_LOG` beside it."""
        return {"error_cb": self.on_error}
