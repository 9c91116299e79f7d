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
        return retry.after_refusal(Status.DUPLICATE_SIGNAL_REQUEST, True, attempt, elapsed, window)

    moments = schedule(step, 60_000)
    assert moments[:4] == [1_500, 3_500, 6_000, 9_000]
    assert moments[-1] == 59_000
    steps = [after - before for before, after in zip(moments, moments[1:], strict=False)]
    assert max(steps) <= 3_000


SIGNALING_AGAIN, MEDIA_AGAIN = {8}, {15, 16}
WITHOUT = {
    **dict(zip(range(9, 14), (Medium.AUDIO, Medium.VIDEO, Medium.SHARE, Medium.CAPTIONS, Medium.CHAT), strict=True)),
    **dict.fromkeys(range(31, 36), Medium.SHARE), **dict.fromkeys((36, 37, 43, 46), Medium.CAPTIONS),
    **dict.fromkeys((38, 39, 47), Medium.CHAT),
}  # fmt: skip


@pytest.mark.parametrize("status", [*Status, 48, 75, -1])
def test_every_status_has_its_answer(status: int) -> None:
    at_the_door = retry.is_duplicate(status, "", signaling=True)
    on_media = retry.is_duplicate(status, "", signaling=False)
    assert (at_the_door, on_media) == (status in SIGNALING_AGAIN, status in MEDIA_AGAIN)
    again = {
        None: retry.after_refusal(status, False, 0, 0, 60_000),
        1_500: retry.after_refusal(status, True, 0, 0, 60_000),
    }
    assert again == {None: 3_000 if status == Status.INTERNAL_EXCEPTION else None, 1_500: 1_500}
    assert retry.dispensable_medium(status) is WITHOUT.get(status)


@pytest.mark.parametrize(
    ("code", "reason", "signaling", "expected"),
    [
        (17, "Duplicate signal request", True, True),  # its number before 2026
        (31, "duplicate media connection", False, True),
        (17, "", True, False),
        (15, "invalid signature", False, False),  # its number before 2026
        (8, "signature of a duplicate", True, True),
    ],
)
def test_the_numbers_before_2026_are_told_by_the_text(code: int, reason: str, signaling: bool, expected: bool) -> None:
    assert retry.is_duplicate(code, reason, signaling=signaling) is expected


def test_nothing_is_tried_after_the_window() -> None:
    assert retry.after_loss(0, 59_000, 60_000) is None
    assert retry.after_refusal(Status.DUPLICATE_SIGNAL_REQUEST, True, 0, 70_000, 60_000) is None


def test_which_stops_may_be_followed_by_a_new_start() -> None:
    restartable = {reason for reason in StopReason if retry.is_restartable(reason)}
    assert restartable == {StopReason(number) for number in (10, 11, 12, 13, 14, 15, 16, 17, 19, 24)}
    assert not retry.is_restartable(99)
