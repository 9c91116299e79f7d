"""What a service does when what it needs is away: at its start it waits, later it goes on with what it knows."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.local.broker.broker import Broker
from deploy.local.server import Server, unready
from tests.integration.edges.conftest import SERVICES
from tests.integration.starting.conftest import PATIENCE_S, Quarter
from tests.support.processes import service, wait_for

EVERYBODY = tuple(SERVICES)
pytestmark = pytest.mark.timeout(1200)

STATES = "states"
"""A processor's own, which it asks a broker for that has only just started."""

SILENCE = "no answer yet"
GRACE_S = 6.0
"""Less than any of the calls takes that a service may be in the middle of."""
BEAT_AGE_S = "2.5"
"""Shorter than a silence that is said to be one: who does not beat while it waits is found out, a busy one is not."""


def test_services_start_before_what_they_need_and_wait_for_it(
    quarter: Quarter, kafka: Broker, registry: Server, clickhouse: Server
) -> None:
    for away in (registry, kafka, clickhouse):
        away.stop()
    for name in EVERYBODY:
        quarter.services[name].launch()
    quarter.until_waiting("registry", *EVERYBODY)
    quarter.until_beating(*EVERYBODY)
    registry.start()
    quarter.until_waiting("kafka", *EVERYBODY)
    quarter.until_beating(*EVERYBODY)
    kafka.start()
    quarter.until_waiting("clickhouse", "sink-clickhouse")
    for name in set(EVERYBODY) - {"sink-clickhouse"}:
        quarter.services[name].wait_ready()
    clickhouse.start()
    quarter.services["sink-clickhouse"].wait_ready()
    for name in EVERYBODY:
        needed = ["registry", "kafka", *(["clickhouse"] if name == "sink-clickhouse" else [])]
        waited = quarter.said(name, "waiting")
        assert [what for what in dict.fromkeys(waited) if what != STATES] == needed
        assert waited == quarter.said(name, "no longer waiting")


@pytest.mark.parametrize("what", ["registry", "kafka"])
def test_services_that_are_killed_during_an_outage_come_back_with_it(
    quarter: Quarter, kafka: Broker, registry: Server, what: str
) -> None:
    away = {"registry": registry, "kafka": kafka}[what]
    away.kill()
    for name in EVERYBODY:
        quarter.services[name].kill()
    quarter.forget_logs()
    for name in EVERYBODY:
        quarter.services[name].launch()
    quarter.until_waiting(what, *EVERYBODY)
    # One that is there may have been slow to answer: nine begin at once.
    assert {name: quarter.waited_for(name) for name in EVERYBODY} == dict.fromkeys(EVERYBODY, [what])
    away.start()
    for name in EVERYBODY:
        quarter.services[name].wait_ready()


def test_who_is_told_to_stop_while_it_waits_stops(quarter: Quarter) -> None:
    """The registry takes connections and never answers: the worst that there is to wait for."""
    with mute() as url:
        env = quarter.env | {"RTMS_KAFKA_REGISTRY_URL": url, "RTMS_HEALTH_MAX_BEAT_AGE_S": BEAT_AGE_S}
        waiting = {
            name: service(["-m", *SERVICES[name]], env, quarter.folder / f"{name}-mute.log") for name in SERVICES
        }
        for each in waiting.values():
            each.launch()
        for name, each in waiting.items():
            wait_for(lambda each=each: beats_in_a_silence(each), PATIENCE_S, lambda n=name: n)
        for name, each in waiting.items():  # one by one: nine that end at once take the time from each other
            each.ask_to_stop()
            wait_for(lambda each=each: each.exit_code() is not None, GRACE_S, lambda name=name: f"{name} goes on")
            assert each.exit_code() == 0, f"{name}: {each.log.read_text()}"
            assert "Traceback" not in each.log.read_text()


def beats_in_a_silence(server: Server) -> bool:
    """Asked in this order: who does not beat while it waits is alive only until its silence is one."""
    return not unready(server.program.port, "/livez") and SILENCE in unready(server.program.port, "/readyz")


@contextmanager
def mute() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
