"""Whether Kafka still takes what is sent: for how long records have been on their way with none acknowledged. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Contact:
    """What is known of the producers together; who has nothing on the way misses nobody."""

    acknowledged: int = 0
    since_s: float | None = None

    def silent_s(self, acknowledged: int, on_the_way: int, now_s: float) -> float:
        """Seconds for which records have waited in vain. `acknowledged` counts all of them so far."""
        if self.since_s is None or acknowledged != self.acknowledged or not on_the_way:
            self.acknowledged, self.since_s = acknowledged, now_s
        return now_s - self.since_s
