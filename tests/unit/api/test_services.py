"""What a list knows of a topic: all of it, or all that could be read; never what a replica has got to so far."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.errors import ApiError
from api.services import Services
from schemas import topics


@dataclass
class View:
    is_ready: bool
    is_connected: bool
    comes_up: bool
    asked: int = 0

    async def caught_up(self, _timeout_s: float) -> bool:
        self.asked += 1
        return self.comes_up


async def refresh(view: View) -> None:
    services = SimpleNamespace(followed={topics.APP_SESSIONS: view}, settings=SimpleNamespace(freshness_timeout_s=1.0))
    await Services.refresh(cast(Any, services), topics.APP_SESSIONS)


@pytest.mark.parametrize("is_ready", [True, False])
async def test_while_kafka_is_there_everything_is_waited_for(is_ready: bool) -> None:
    view = View(is_ready, is_connected=True, comes_up=True)
    await refresh(view)
    assert view.asked == 1


async def test_while_kafka_is_away_what_was_read_is_good_enough_and_nobody_waits() -> None:
    view = View(is_ready=True, is_connected=False, comes_up=False)
    await refresh(view)
    assert view.asked == 0


@pytest.mark.parametrize("is_connected", [True, False])
async def test_a_replica_that_has_not_read_everything_yet_says_so(is_connected: bool) -> None:
    with pytest.raises(ApiError) as error:
        await refresh(View(is_ready=False, is_connected=is_connected, comes_up=False))
    assert error.value.status == 503
