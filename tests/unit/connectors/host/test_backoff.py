"""Waits grow and stop growing."""

from itertools import islice

from connectors.host.backoff import delays_s


def test_waits_double_up_to_the_longest() -> None:
    assert list(islice(delays_s(0.5, 2, 3), 5)) == [0.5, 1.0, 2.0, 3, 3]
