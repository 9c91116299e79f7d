"""The units agree with each other."""

from connectors.host.clock import SystemClock


def test_units() -> None:
    clock = SystemClock()
    before_ms = clock.now_ms()
    now_us = clock.now_us()
    assert before_ms <= now_us // 1000 <= clock.now_ms()
    assert clock.monotonic() <= clock.monotonic()
