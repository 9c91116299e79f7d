"""Another partition count, had as docs/operations.md says: by its very commands, a meeting before and one after."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.server import ServerOptions
from deploy.local.server import Server
from deploy.local.settings import REPOSITORY
from deploy.local.unit import child_environment
from schemas import topics
from tests.integration.edges.conftest import PATIENCE_S, SERVICES, Street
from tests.support.kafka_tools import kafka_tools
from tests.support.patient_zoom import PatientZoom
from tests.support.processes import service, wait_for
from tests.support.stack import kafka_environment, open_log, run_module

BEFORE, AFTER = 1, 3
MEETING_S = 20

ENDED = {"recording_state": "complete", "transcription_state": "complete", "state": "ended"}
PROCEDURE = (
    (REPOSITORY / "docs" / "operations.md")
    .read_text()
    .partition("\n### Another partition count\n")[2]
    .partition("\n## ")[0]
)


class Quarters(NamedTuple):
    """All services, and what they run on."""

    street: Street
    env: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def quarters(clickhouse: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarters]:
    folder = tmp_path_factory.mktemp("partitions")
    with ExitStack() as stack:
        env = kafka_environment(*stack.enter_context(open_log(folder))) | {
            "RTMS_KAFKA_PARTITIONS": str(BEFORE),
            "RTMS_CLICKHOUSE_URL": clickhouse.url,
            "RTMS_CLICKHOUSE_DATABASE": "partitions",
        }
        set_up(env)
        street = Street(env, folder)
        stack.callback(street.close)
        stack.callback(lambda: [server.stop() for server in street.services.values()])
        street.start(*SERVICES)
        yield Quarters(street, env, folder)


def set_up(env: dict[str, str]) -> None:
    """What the chart's job does."""
    run_module("connectors.kafka", "topics", env=env)
    run_module("connectors.clickhouse", "tables", env=env)


@pytest.mark.timeout(1800)
async def test_it_is_had_and_costs_no_session(quarters: Quarters) -> None:
    street, more = quarters.street, {"RTMS_KAFKA_PARTITIONS": str(AFTER)}
    earlier = await meet(street)
    said = await asyncio.to_thread(everything, street, earlier)
    refused = ask_for(quarters.env | more)
    assert refused.returncode == 1
    assert f"{topics.AUDIO.name} {BEFORE} instead of {AFTER}" in refused.stdout + refused.stderr

    street.services["api"].stop()
    await asyncio.to_thread(until_nothing_waits, street)
    for server in street.services.values():
        server.stop()
    delete(quarters)
    until_there_are(quarters.env, {topic.name: 1 for topic in topics.ALL if not topic.per_session})

    set_up(quarters.env | more)
    until_there_are(quarters.env, {topic.name: AFTER if topic.per_session else 1 for topic in topics.ALL})
    for name, module in SERVICES.items():
        log = quarters.folder / f"{name}-again.log"
        street.services[name] = service(["-m", *module], street.env | more, log)
    await asyncio.to_thread(street.start, *SERVICES)

    later = await meet(street)
    assert await asyncio.to_thread(everything, street, earlier) == said
    listed = await asyncio.to_thread(of, street, "")
    assert {one["id"] for one in listed["results"]} == {earlier, later}


async def meet(street: Street) -> str:
    """A meeting from its beginning to its end; the session's id."""
    await asyncio.to_thread(street.customer, ServerOptions().credentials)  # before the clock runs
    async with PatientZoom() as simulator:
        stream = await simulator.start(MeetingRequest(seconds=MEETING_S))
        session = await asyncio.to_thread(street.join, simulator, stream)
        told = await asyncio.to_thread(street.ended, session)
    assert told | ENDED == told
    return session


def of(street: Street, what: str) -> Any:
    """What a customer is answered. The key and the project are of before, too."""
    http = street.customer(ServerOptions().credentials)
    return http.get(f"/app_sessions{what}").raise_for_status().json()


def everything(street: Street, session: str) -> dict[str, Any]:
    """What a customer is told of the session, once its rows are all there, and the recording itself."""
    found: dict[str, Any] = {}

    def is_whole() -> bool:
        for what in ("", "/transcript", "/participants", "/participant_events"):
            found[what] = of(street, f"/{session}{what}")
        return all(found.values())

    wait_for(is_whole, PATIENCE_S, lambda: f"not answered of {session}: {found}")
    link = of(street, f"/{session}/media")["url"]
    found["recording"] = httpx.get(link, timeout=PATIENCE_S, trust_env=False, verify=False).raise_for_status().content
    return found


def ask_for(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the job would say to another count while there are topics."""
    command = [sys.executable, "-m", "connectors.kafka", "topics"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=child_environment(env), capture_output=True, text=True, check=False, timeout=180
    )


def until_nothing_waits(street: Street) -> None:
    """The sums that the page names, over all that runs."""
    waited_for = set(re.findall(r"`(rtms_\w+)`", PROCEDURE.partition("helm uninstall")[0]))
    assert len(waited_for) > 3
    seen: dict[str, float] = {}

    def is_idle() -> bool:
        seen.clear()
        for name in SERVICES.keys() - {"api"}:
            text = httpx.get(f"{street.services[name].url}/metrics", timeout=10, trust_env=False, verify=False).text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name in waited_for:
                        seen[sample.name] = seen.get(sample.name, 0) + sample.value
        return not any(seen.values())

    wait_for(is_idle, PATIENCE_S, lambda: f"something waits for ever: {seen}")
    assert waited_for - seen.keys() == {"rtms_composing_under_way"}, "it is off here"


def delete(quarters: Quarters) -> None:
    """The page's own commands, in a shell, with the broker's address."""
    [commands] = re.findall(r"^ *```\n(.*?)^ *```$", PROCEDURE, re.M | re.S)
    bootstrap = quarters.env["RTMS_KAFKA_BOOTSTRAP_SERVERS"]
    tools = kafka_tools(quarters.folder / "bin")
    answer = subprocess.run(
        ["bash", "-c", textwrap.dedent(commands).replace("kafka:9092", bootstrap)],
        env={"PATH": f"{tools}:{os.environ['PATH']}"}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    groups = AdminClient({"bootstrap.servers": bootstrap}).list_consumer_groups().result()
    assert [group.group_id for group in groups.valid] == [], answer.stdout + answer.stderr


def until_there_are(env: dict[str, str], wanted: dict[str, int]) -> None:
    """Wait for the broker to know of these topics with so many partitions: it answers, and knows it a moment later."""
    wait_for(lambda: partitions_of(env) == wanted, PATIENCE_S, lambda: f"other topics: {partitions_of(env)}")


def partitions_of(env: dict[str, str]) -> dict[str, int]:
    """Of every topic of ours that is there."""
    found = AdminClient({"bootstrap.servers": env["RTMS_KAFKA_BOOTSTRAP_SERVERS"]}).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in found.items() if name in topics.BY_NAME}
