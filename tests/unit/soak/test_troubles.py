"""What explains that there was no answer, and what does not."""

from tests.soak.troubles import Troubles


def test_only_what_overlaps_explains() -> None:
    troubles = Troubles(grace_s=2)
    troubles.began("kafka", 10)
    assert not troubles.explain({"kafka"}, 5, 9)
    assert troubles.explain({"kafka"}, 5, 11)
    assert troubles.explain({"api", "kafka"}, 100, 101), "it still lasts"
    assert not troubles.explain({"api"}, 5, 11)
    troubles.over("kafka", 20)
    assert troubles.explain({"kafka"}, 22, 23), "the others have to find it again"
    assert not troubles.explain({"kafka"}, 23, 24)


def test_what_lasts_does_not_begin_again_and_what_is_over_is_over() -> None:
    troubles = Troubles(grace_s=0)
    troubles.over("api", 1)
    troubles.began("api", 10)
    troubles.began("api", 12)
    troubles.over("api", 15)
    troubles.over("api", 20)
    assert troubles.explain({"api"}, 11, 11)
    assert not troubles.explain({"api"}, 16, 19)
    troubles.began("api", 30)
    assert troubles.explain({"api"}, 31, 31)


def test_what_is_known_of_afterwards_explains_too_and_ends_nothing_that_goes_on() -> None:
    troubles = Troubles(grace_s=0)
    troubles.began("api", 20)
    troubles.lasted("api", 5, 10)
    assert troubles.explain({"api"}, 7, 7)
    assert not troubles.explain({"api"}, 11, 19)
    assert troubles.explain({"api"}, 50, 50)
    troubles.over("api", 60)
    assert not troubles.explain({"api"}, 61, 70)
