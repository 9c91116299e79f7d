"""Metric names follow one rule and labels stay bounded."""

import pytest

from connectors.host.metrics import counter, histogram


def test_a_name_must_begin_with_the_house_and_the_room() -> None:
    with pytest.raises(ValueError, match="rtms_<room>_<thing>"):
        counter("frames_total", "Frames.")


def test_a_label_per_session_is_refused() -> None:
    with pytest.raises(ValueError, match="session_id"):
        histogram("rtms_test_latency_seconds", "Latency.", ["session_id"])


def test_a_second_declaration_is_an_error() -> None:
    counter("rtms_test_things", "Things.")
    with pytest.raises(ValueError, match="Duplicated"):
        counter("rtms_test_things", "Things.")
