"""Whether Kafka still takes what is sent: for how long records have been on their way with none acknowledged. Pure."""

from dataclasses import dataclass

UNSURE_S = 2.0
"""Of silence: less than any group takes to give a silent member's partitions to another."""


@dataclass(slots=True)
class Contact:
    """What is known of the producers together as of the last `note`; who has nothing on the way misses nobody."""

    silent_s: float = 0.0
    _acknowledged: int = 0
    _since_s: float | None = None

    def note(self, acknowledged: int, on_the_way: int, now_s: float) -> None:
        """`acknowledged` counts all records so far, `on_the_way` those that wait for it."""
        if self._since_s is None or acknowledged != self._acknowledged or not on_the_way:
            self._acknowledged, self._since_s = acknowledged, now_s
        self.silent_s = now_s - self._since_s

    @property
    def is_sure(self) -> bool:
        """Whether a newer claim than ours would have been heard of."""
        return self.silent_s <= UNSURE_S
