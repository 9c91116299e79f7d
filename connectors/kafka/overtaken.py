"""Group members whose next records retention has deleted: they read on once that is stated."""

from collections.abc import Callable

from connectors.host.logs import get_logger
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.losses import Concerns, Losses
from connectors.kafka.records import BEGINNING, Place

log = get_logger(__name__)


class Overtaken:
    """One member's partitions that it was too late for; `concerns` says whom it matters to, None for nobody."""

    def __init__(self, consumer: GroupConsumer, losses: Losses, concerns: Callable[[Place], Concerns | None]) -> None:
        self._consumer, self._losses, self._concerns = consumer, losses, concerns
        self._places: set[Place] = set()

    def add(self, place: Place) -> None:
        """It was overtaken; the library delivers nothing more of it until `catch_up` has moved it."""
        self._places.add(place)

    def catch_up(self) -> None:
        """State what was lost and go on with what is left; what cannot be stated now is tried again by the next call.

        Raises:
            Fatal: a client is broken for good.
        """
        for place in list(self._places):
            try:
                if place in self._consumer.assignment():
                    if (concerns := self._concerns(place)) is not None:
                        self._losses.state(place, concerns)
                    self._consumer.seek(place, BEGINNING)
            except KafkaError as error:
                if isinstance(error, Fatal):
                    raise
                log.warning("a loss is not stated yet", topic=place.topic, partition=place.partition, code=error.code)
            else:
                self._places.discard(place)
