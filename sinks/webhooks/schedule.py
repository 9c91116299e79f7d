"""When a delivery is tried again, and when it is given up. Pure."""

from collections.abc import Sequence

from schemas.records import DeliveryAttempt

GAPS_MS = tuple(int(seconds * 1000) for seconds in (0, 5, 60, 300, 1800, 7200, 21600, 43200, 86400, 86400))
"""Before each attempt; the last one is made nearly three days after the first."""

JITTER = 0.2
"""A gap is longer by up to this part of it, so that what failed together is not tried together."""

FINAL_ATTEMPTS = 3
"""How often a receiver is asked that says the request itself is wrong."""

_PASSING = frozenset({408, 409, 425, 429})


def is_taken(attempt: DeliveryAttempt) -> bool:
    """Whether the receiver has it."""
    return attempt.status_code is not None and 200 <= attempt.status_code < 300


def next_due_ms(attempts: Sequence[DeliveryAttempt], draw: float) -> int | None:
    """When to try after these (the last one failed); None: not again. `draw` is in [0, 1)."""
    last = attempts[-1]
    if len(attempts) >= FINAL_ATTEMPTS and _is_final(last):
        return None
    if len(attempts) >= len(GAPS_MS):
        return None
    return last.at_ms + int(GAPS_MS[len(attempts)] * (1 + JITTER * draw))


def _is_final(attempt: DeliveryAttempt) -> bool:
    if attempt.error == "target_not_allowed":
        return True
    return attempt.status_code is not None and 400 <= attempt.status_code < 500 and attempt.status_code not in _PASSING
