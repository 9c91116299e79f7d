"""Takes down which losses a reader states, in memory."""

from connectors.kafka.records import Place


class MemoryLosses:
    """Stands in for `Losses`; what is in `errors` is raised first."""

    def __init__(self) -> None:
        self.stated: list[Place] = []
        self.errors: list[Exception] = []

    def state(self, place: Place, concerns: object) -> int:
        if self.errors:
            raise self.errors.pop(0)
        self.stated.append(place)
        return 0
