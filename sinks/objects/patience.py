"""Tries again for as long as it takes: a store that is away or a disk that is full must cost nothing but time."""

import threading
from collections.abc import Callable
from typing import TypeVar

from connectors.host.logs import get_logger
from connectors.kafka.errors import Fatal, KafkaError, RecordTooLarge
from connectors.objects.errors import BadKey, ObjectsError
from sinks.objects import metrics
from sinks.objects.scratch import ScratchUnusable
from sinks.objects.settings import SinkObjectsSettings

log = get_logger(__name__)

Result = TypeVar("Result")


class Abandoned(Exception):
    """The partition has gone to another member, or the process stops: the work will be done there, or later."""


class Patience:
    """Repeats calls until they succeed or `abandon` is called; safe to use from any thread.

    `on_trouble` hears of every failure by name, in the thread that met it, and there of its end (None): it is done, or
    tried no more.
    """

    def __init__(self, settings: SinkObjectsSettings, on_trouble: Callable[[str | None], None]) -> None:
        self._settings = settings
        self._on_trouble = on_trouble
        self._abandoned = threading.Event()

    def abandon(self) -> None:
        self._abandoned.set()

    def check(self) -> None:
        """Raises Abandoned when it is time to leave off; for work that lasts."""
        if self._abandoned.is_set():
            raise Abandoned

    def wait(self, seconds: float) -> bool:
        """Let time pass; true when it is time to leave off."""
        return self._abandoned.wait(seconds)

    def until_done(self, what: str, call: Callable[[], Result]) -> Result:
        """What `call` returns. Raises Abandoned, and at once what cannot get better: BadKey, RecordTooLarge, Fatal."""
        delay_s, had_trouble = self._settings.retry_s, False
        try:
            while True:
                self.check()
                try:
                    return call()
                except (BadKey, RecordTooLarge, Fatal):
                    raise
                except (ObjectsError, KafkaError, ScratchUnusable) as error:
                    had_trouble = True
                    metrics.RETRIES.labels(what).inc()
                    log.warning("trying again", what=what, reason=str(error), wait_s=delay_s)
                    self._on_trouble(f"{what}: {error}")
                    self._abandoned.wait(delay_s)
                    delay_s = min(2 * delay_s, self._settings.longest_retry_s)
        finally:
            if had_trouble:
                self._on_trouble(None)
