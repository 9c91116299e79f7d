"""Holds the paths inside Faust and aiokafka that the shell relies upon, and the switches that keep their traps shut.

Whoever raises the version reads this first: each assertion names something that is used although it is private, or
that lost records when it was otherwise.
"""

import asyncio
import inspect
from importlib.metadata import version

import faust
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.app.base import App, BootStrategy
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import Message

from connectors.kafka.settings import KafkaSettings
from processors.settings import ProcessorsSettings
from processors.shell.delivery import DirectConsumer
from processors.shell.faust_app import ProcessorApp, add_agent, create_app
from tests.support.processes import PATIENCE_S


def test_the_version_is_the_one_that_was_examined():
    assert version("faust-streaming") == "0.15.3"


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (AIOKafkaConsumerThread, "call_thread"),
        (AIOKafkaConsumerThread, "_consumer"),
        (Consumer, "pause_partitions"),
        (Consumer, "resume_partitions"),
        (ThreadDelegateConsumer, "highwater"),
        (GroupCoordinator, "fetch_committed_offsets"),
        (AIOKafkaConsumer, "beginning_offsets"),
        (AIOKafkaConsumer, "offsets_for_times"),
        (AIOKafkaConsumer, "commit"),
        (AIOKafkaConsumer, "seek"),
        (App, "_create_directories"),
        (BootStrategy, "enable_kafka_producer"),
        (TableManager, "_update_channels"),
        (TableManager, "recovery"),
        (Recovery, "_wait"),
    ],
)
def test_what_we_reach_into_is_there(owner, name):
    assert hasattr(owner, name)


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (GroupCoordinator, ["_coordination_task", "_pending_exception"]),
        (Fetcher, ["_fetch_task"]),
        (AIOKafkaClient, ["_sync_task"]),
        (AIOKafkaConsumer, ["_coordinator", "_fetcher", "_client", "_closed"]),
    ],
)
def test_what_keeps_a_client_going_has_these_names(owner, names):
    source = inspect.getsource(owner)
    assert [name for name in names if f"self.{name} = " not in source] == []


def test_events_carry_their_generation():
    assert "generation_id" in inspect.signature(Message.__init__).parameters
    assert "self._thread.app.consumer_generation_id = generation" in inspect.getsource(
        inspect.getmodule(AIOKafkaConsumerThread)
    )


def test_the_consumer_is_a_thread_away():
    assert "self._thread = self._new_consumer_thread()" in inspect.getsource(ThreadDelegateConsumer)
    assert "self._coordinator" in inspect.getsource(AIOKafkaConsumer)


def test_seeking_reaches_into_another_thread_which_is_what_we_avoid():
    assert "call_thread" not in inspect.getsource(AIOKafkaConsumerThread.seek)
    assert "self._read_offset[ensure_TP(partition)] = offset if offset else None" in inspect.getsource(Consumer.seek)


def test_tables_are_waited_for_a_second_which_is_what_we_leave_out():
    assert "await self.sleep(1.0)" in inspect.getsource(TableManager.on_start)
    assert "_update_channels" in inspect.getsource(TableManager.on_start)
    assert "self.recovery.start()" in inspect.getsource(TableManager.on_start)


def test_deliveries_are_raced_against_a_rebalance_which_is_what_we_shorten():
    drained = "".join(inspect.getsource(Consumer._drain_messages).split())
    assert "self.wait_first(callback(message),self.suspend_flow.wait())" in drained
    assert issubclass(ProcessorApp("toy").transport.Consumer, DirectConsumer)


async def take(message: object) -> None:
    raise AssertionError("nothing is consumed in this test")


@pytest.fixture
def app() -> ProcessorApp:
    app = create_app("toy", ProcessorsSettings(), KafkaSettings(bootstrap_servers="a:9092,b:9093"))
    add_agent(app, ("rtms.audio", "rtms.video"), take)
    return app


async def test_the_app_consumes_and_does_nothing_else(app):
    conf = app.conf
    assert [str(url) for url in conf.broker] == ["kafka://a:9092", "kafka://b:9093"]
    assert (conf.web_enabled, conf.topic_allow_declare, conf.topic_disable_leader) == (False, False, True)
    assert app.boot_strategy._should_enable_web() is False
    assert app.boot_strategy._should_enable_kafka_producer() is False
    assert conf.table_standby_replicas == 1, "0 switches to round robin, which parts topics that belong together"
    assert conf.stream_buffer_maxsize <= 256, "counted in records, whatever their size"
    assert conf.processing_guarantee == faust.types.enums.ProcessingGuarantee.AT_LEAST_ONCE


async def test_seeking_takes_as_long_as_kafka_needs(app):
    """Faust waits for a minute and a half, and what resumes the flow has ended then: nothing is read any more."""
    answer = asyncio.Event()
    seeking = asyncio.create_task(app.tables.recovery._wait(answer.wait(), timeout=0.01))
    done, _ = await asyncio.wait([seeking], timeout=0.1)
    assert not done
    answer.set()
    await asyncio.wait_for(seeking, PATIENCE_S)
    app.consumer._thread.thread_loop.close()  # of the thread that is never started here


async def test_nothing_is_counted_or_waited_for_with_each_record(app):
    app.on_init_dependencies()
    app.consumer._thread.thread_loop.close()  # of the thread that is never started here
    assert [type(sensor) for sensor in app.sensors] == [faust.Sensor]
    assert app.conf.cython_optimizations


async def test_one_agent_reads_all_topics_without_acknowledgements(app):
    (agent,) = app.agents.values()
    assert agent.concurrency == 1
    assert set(agent.channel.topics) == {"rtms.audio", "rtms.video"}
    assert agent.channel.acks is False, "Faust's own acknowledgements lose records"


async def test_no_folders_are_made(app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    await app.on_first_start()
    assert list(tmp_path.iterdir()) == []
