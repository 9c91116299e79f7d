"""Probes tell the truth about readiness and liveness."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from connectors.host.health import Health
from connectors.host.settings import HealthSettings


class StandingClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def now_ms(self) -> int:
        return int(self.time_s * 1_000)

    def now_us(self) -> int:
        return int(self.time_s * 1_000_000)

    def monotonic(self) -> float:
        return self.time_s


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def health(clock: StandingClock) -> Iterator[Health]:
    health = Health("ingest", HealthSettings(port=0, max_beat_age_s=10), clock)
    health.start()
    yield health
    health.stop()


def get(health: Health, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{health.port}{path}", trust_env=False, timeout=60)


def test_not_ready_until_told(health: Health) -> None:
    assert get(health, "/readyz").status_code == 503
    health.ready(True, "holding 8 partitions")
    answer = get(health, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["conditions"]["service"]["reason"] == "holding 8 partitions"


def test_every_condition_must_hold(health: Health) -> None:
    health.ready(True)
    health.ready(False, "catching up", condition="view")
    assert get(health, "/readyz").json()["conditions"]["view"] == {"holds": False, "reason": "catching up"}
    assert not health.is_ready()
    health.ready(True, condition="view")
    assert health.is_ready()


def test_a_loop_that_stops_beating_is_dead(health: Health, clock: StandingClock) -> None:
    assert get(health, "/livez").status_code == 200
    clock.time_s += 10.1
    assert get(health, "/livez").status_code == 503
    health.beat()
    assert get(health, "/livez").status_code == 200


def test_metrics_are_prometheus_text(health: Health) -> None:
    answer = get(health, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "python_info" in answer.text


def test_other_paths_do_not_exist(health: Health) -> None:
    assert get(health, "/").status_code == 404


async def test_serving_ends_with_its_task(clock: StandingClock) -> None:
    health = Health("api", HealthSettings(port=0), clock)
    task = asyncio.create_task(health.serve(0))
    await asyncio.sleep(0)
    assert health.port
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert health.port == 0
