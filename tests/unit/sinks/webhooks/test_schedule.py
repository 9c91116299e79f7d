"""When a delivery is tried again."""

import pytest

from schemas.records import DeliveryAttempt
from sinks.webhooks.schedule import GAPS_MS, is_taken, next_due_ms


def attempt(status=None, error=None, at_ms=0):
    return DeliveryAttempt(at_ms=at_ms, status_code=status, error=error)


@pytest.mark.parametrize(("status", "taken"), [(200, True), (204, True), (299, True), (302, False), (404, False),
                                               (500, False), (None, False)])  # fmt: skip
def test_only_2xx_is_taken(status, taken):
    assert is_taken(attempt(status)) is taken


def test_the_gaps_are_those_that_are_promised():
    gaps, attempts = [], []
    at_ms = 0
    while True:
        attempts.append(attempt(500, at_ms=at_ms))
        due_ms = next_due_ms(attempts, draw=0.0)
        if due_ms is None:
            break
        gaps.append((due_ms - at_ms) // 1000)
        at_ms = due_ms
    assert gaps == [5, 60, 300, 1800, 7200, 21600, 43200, 86400, 86400]
    assert len(attempts) == len(GAPS_MS) == 10


def test_jitter_only_makes_a_gap_longer():
    assert next_due_ms([attempt(500)], draw=0.999) in range(5000, 6001)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_a_wrong_request_is_given_up_at_the_third_attempt(status):
    assert next_due_ms([attempt(status)] * 2, 0.0) is not None
    assert next_due_ms([attempt(status)] * 3, 0.0) is None


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503, 302])
def test_what_passes_is_tried_for_days(status):
    assert next_due_ms([attempt(status)] * 9, 0.0) is not None
    assert next_due_ms([attempt(status)] * 10, 0.0) is None


def test_a_target_that_may_not_be_called_is_given_up_at_the_third_attempt():
    assert next_due_ms([attempt(error="target_not_allowed")] * 3, 0.0) is None
    assert next_due_ms([attempt(error="timeout")] * 3, 0.0) is not None
