"""How long to wait before trying again."""

from collections.abc import Iterator


def delays_s(first_s: float = 0.1, factor: float = 2.0, longest_s: float = 5.0) -> Iterator[float]:
    """Endless waits that grow from `first_s` by `factor` up to `longest_s`."""
    delay_s = first_s
    while True:
        yield min(delay_s, longest_s)
        delay_s = min(delay_s * factor, longest_s)
