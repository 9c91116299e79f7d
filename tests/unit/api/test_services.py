"""What an answer is made of: all that there is, or all that could be read; never what a replica has got to so far."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.errors import ApiError
from api.services import Services, services_of
from schemas import topics


@dataclass
class View:
    is_ready: bool = True
    is_connected: bool = True
    comes_up: bool = True
    asked: int = 0

    async def caught_up(self, _timeout_s: float) -> bool:
        self.asked += 1
        return self.comes_up


async def refresh(view: View) -> None:
    services = SimpleNamespace(followed={topics.APP_SESSIONS: view}, settings=SimpleNamespace(freshness_timeout_s=1.0))
    await Services.refresh(cast(Any, services), topics.APP_SESSIONS)


async def test_while_kafka_is_there_everything_is_waited_for() -> None:
    view = View()
    await refresh(view)
    assert view.asked == 1


async def test_while_kafka_is_away_what_was_read_is_good_enough_and_nobody_waits() -> None:
    view = View(is_connected=False, comes_up=False)
    await refresh(view)
    assert view.asked == 0


def connection(*views: View) -> Any:
    services = SimpleNamespace(followed=dict(enumerate(views)))
    return SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(services=services)))


async def test_a_replica_that_has_read_everything_answers() -> None:
    request = connection(View(), View(is_connected=False))
    assert await services_of(request) is request.app.state.services


@pytest.mark.parametrize("is_connected", [True, False])
async def test_a_replica_that_has_not_read_everything_yet_says_so(is_connected: bool) -> None:
    with pytest.raises(ApiError) as error:
        await services_of(connection(View(), View(is_ready=False, is_connected=is_connected)))
    assert (error.value.status, error.value.headers) == (503, {"Retry-After": "1"})
