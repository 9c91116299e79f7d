"""Kafka away for a whole minute, which is what is promised: longer than any client waits and than most of them retry.

Processes are killed meanwhile and start without it. In a file of its own, because it takes time and no work.
"""

from dataclasses import replace

import pytest

from tests.soak.act import Theatre
from tests.soak.faults import planned
from tests.soak.options import Options
from tests.soak.plan import SHORT

pytestmark = pytest.mark.timeout(1800)
OPTIONS = Options(2, (20, 20), replace(SHORT, broker_away_s=(60.0,)), ("broker",))


def test_a_minute_without_kafka_changes_nothing(theatre: Theatre) -> None:
    act = OPTIONS.disturbed()
    result = theatre.play(act)
    assert not result.differences, "\n".join([*result.differences, f"again: {OPTIONS.command}"])
    assert result.done == planned(act.plan)
    assert result.sessions == len(OPTIONS.lengths_s)
