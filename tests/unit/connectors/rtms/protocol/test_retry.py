"""When to try again, as a function of what happened."""

import pytest

from connectors.rtms.protocol import retry
from connectors.rtms.protocol.codes import Medium, Status, StopReason


def schedule(step: object, window_ms: int) -> list[int]:
    """The moments of all attempts after a loss at 0, if every attempt fails at once."""
    moments: list[int] = []
    now = 0
    while (delay := step(len(moments), now, window_ms)) is not None:  # type: ignore[operator]
        assert delay > 0
        now += delay
        moments.append(now)
    return moments


def test_losses_back_off_and_the_last_attempt_is_just_before_the_window_ends() -> None:
    assert schedule(retry.after_loss, 60_000) == [3_000, 9_000, 21_000, 45_000, 59_000]
    assert schedule(retry.after_loss, 65_000) == [3_000, 9_000, 21_000, 45_000, 64_000]
    assert schedule(retry.after_loss, 200_000)[4:] == [75_000, 105_000, 135_000, 165_000, 195_000, 199_000]


def test_duplicates_are_asked_again_every_few_seconds_to_the_end_of_the_window() -> None:
    def step(attempt: int, elapsed: int, window: int) -> int | None:
        return retry.after_refusal(Status.DUPLICATE_SIGNAL_REQUEST, "", attempt, elapsed, window)

    moments = schedule(step, 60_000)
    assert moments[:4] == [1_500, 3_500, 6_000, 9_000]
    assert moments[-1] == 59_000
    steps = [after - before for before, after in zip(moments, moments[1:], strict=False)]
    assert max(steps) <= 3_000


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (Status.DUPLICATE_MEDIA_DATA_CONNECTION, "", 1_500),
        (Status.MEDIA_DATA_ALL_CONNECTION_EXIST, "", 1_500),
        (17, "Duplicate signal request", 1_500),  # its number before 2026
        (17, "", None),
        (Status.INTERNAL_EXCEPTION, "", 3_000),
        (Status.INVALID_SIGNATURE, "", None),
        (Status.INVALID_RTMS_STREAM_ID, "", None),
        (4711, "", None),
    ],
)
def test_refusals(code: int, reason: str, expected: int | None) -> None:
    assert retry.after_refusal(code, reason, 0, 0, 60_000) == expected


def test_nothing_is_tried_after_the_window() -> None:
    assert retry.after_loss(0, 59_000, 60_000) is None
    assert retry.after_refusal(Status.DUPLICATE_SIGNAL_REQUEST, "", 0, 70_000, 60_000) is None


def test_which_stops_may_be_followed_by_a_new_start() -> None:
    restartable = {reason for reason in StopReason if retry.is_restartable(reason)}
    assert restartable == {StopReason(number) for number in (10, 11, 12, 13, 14, 15, 16, 17, 19, 24)}
    assert not retry.is_restartable(99)


@pytest.mark.parametrize(
    ("code", "medium"),
    [(9, Medium.AUDIO), (10, Medium.VIDEO), (11, Medium.SHARE), (12, Medium.CAPTIONS), (13, Medium.CHAT),
     (33, Medium.SHARE), (43, Medium.CAPTIONS), (47, Medium.CHAT), (20, None), (27, None), (3, None), (99, None)],
)  # fmt: skip
def test_what_can_be_done_without(code: int, medium: Medium | None) -> None:
    assert retry.dispensable_medium(code) is medium
