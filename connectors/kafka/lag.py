"""How far a reader is behind, as `/metrics` says it."""

from collections.abc import Iterable, Mapping

from connectors.kafka.metrics import LAG
from connectors.kafka.records import Place


def behind(positions: Mapping[Place, int], ends: Mapping[Place, int]) -> dict[str, int]:
    """By topic, how many offsets lie between the positions and the ends; one whose end is not known counts as read."""
    lag = dict.fromkeys((place.topic for place in positions), 0)
    for place, position in positions.items():
        lag[place.topic] += max(0, ends.get(place, position) - position)
    return lag


def observe(topics: Iterable[str], lag: Mapping[str, int]) -> None:
    """Say how far these topics are behind; one of which no partition is held is not behind here."""
    for topic in topics:
        LAG.labels(topic).set(lag.get(topic, 0))
