"""Waits for records that were sent with `send_future`, all of them within one time."""

from collections.abc import Iterable
from concurrent.futures import Future

from connectors.host.clock import Clock


def acknowledged(sent: "Iterable[Future[int]]", timeout_s: float, clock: Clock) -> None:
    """Return when Kafka has all of them. Raises TimeoutError, and the KafkaError of the first that failed."""
    deadline_s = clock.monotonic() + timeout_s
    for future in sent:
        future.result(max(0.0, deadline_s - clock.monotonic()))
