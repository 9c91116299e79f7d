"""How far behind a reader is, by topic."""

from connectors.kafka.lag import behind, observe
from connectors.kafka.metrics import LAG
from connectors.kafka.records import Place


def test_partitions_of_a_topic_add_up() -> None:
    positions = {Place("audio", 0): 5, Place("audio", 1): 7, Place("video", 0): 3}
    ends = {Place("audio", 0): 9, Place("audio", 1): 7, Place("video", 0): 4}
    assert behind(positions, ends) == {"audio": 4, "video": 1}


def test_an_end_that_is_not_known_or_older_than_the_position_is_no_lag() -> None:
    assert behind({Place("audio", 0): 5, Place("audio", 1): 5}, {Place("audio", 1): 2}) == {"audio": 0}


def test_a_topic_of_which_nothing_is_held_any_more_is_not_behind() -> None:
    observe(["test_lag"], {"test_lag": 8})
    observe(["test_lag"], {})
    assert LAG.labels("test_lag")._value.get() == 0
