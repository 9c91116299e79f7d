"""Trouble that may pass is waited out, trouble that cannot pass is not, and nobody waits when it is time to go."""

import threading

import pytest

from connectors.kafka.errors import Fatal, TimedOut
from connectors.objects.errors import BadKey, Denied, Unavailable
from sinks.objects.patience import Abandoned, Patience
from sinks.objects.settings import SinkObjectsSettings

SETTINGS = SinkObjectsSettings(retry_s=0.001, longest_retry_s=0.004)


class Flaky:
    """Fails as often as it has failures left, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    def __call__(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "done"


def test_passing_trouble_is_waited_out_and_told() -> None:
    told: list[str | None] = []
    call = Flaky(Unavailable("away"), Denied("rotated"), TimedOut("slow"))
    assert Patience(SETTINGS, told.append).until_done("segment", call) == "done"
    assert told == ["segment: away", "segment: rotated", "segment: slow", None]


def test_no_trouble_is_not_told() -> None:
    told: list[str | None] = []
    assert Patience(SETTINGS, told.append).until_done("segment", Flaky()) == "done"
    assert told == []


@pytest.mark.parametrize("error", [BadKey("../x"), Fatal("fenced"), ZeroDivisionError()])
def test_what_cannot_pass_comes_out_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        Patience(SETTINGS, lambda _: None).until_done("segment", Flaky(error))


def test_nobody_waits_after_being_told_to_leave_off() -> None:
    patience = Patience(SinkObjectsSettings(retry_s=600), lambda _: None)
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            patience.until_done("segment", Flaky(*[Unavailable("away")] * 1000))
        except Abandoned as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    patience.abandon()
    thread.join(60)
    assert len(outcome) == 1
    with pytest.raises(Abandoned):
        patience.check()
