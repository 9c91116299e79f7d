"""Runs one processor as a process: `run(running, create)` from its `command.py`."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from faust.contrib.asgi import bind_to_running_loop

from connectors.host.clock import SystemClock
from connectors.host.logs import get_logger
from connectors.host.program import Running
from connectors.host.signals import StopSignal
from connectors.kafka.arrival import await_kafka, await_registry
from connectors.kafka.decoder import Decoder
from connectors.kafka.losses import Losses
from connectors.kafka.producer import TEXT, Profile, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.settings import KafkaSettings
from processors.settings import ProcessorsSettings
from processors.shell.applications import Application
from processors.shell.faust_app import ProcessorApp, add_agent, create_app
from processors.shell.inputs import Inputs
from processors.shell.outbox import Outbox
from processors.shell.state_store import StateStore
from processors.shell.worker import Connections, Worker

log = get_logger(__name__)

STOP_TIMEOUT_S = 20.0


def run(running: Running, create: Callable[[Decoder], Application], profile: Profile = TEXT) -> int:
    """Run until told to stop; the exit status is 1 after a failure, so that a supervisor starts it again.

    `create` is called in the event loop. `profile` is how the outputs are batched and compressed.
    """
    for chatty in ("faust", "mode", "aiokafka", ProcessorApp.__module__):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    kafka = running.configured.of(KafkaSettings)
    decoder = await_registry(kafka, running.health, running.stop)
    await_kafka(kafka, running.health, running.stop)
    is_clean = asyncio.run(_serve(running, decoder, create, profile))
    log.info("stopped", clean=is_clean)
    return 0 if is_clean else 1


async def _serve(
    running: Running, decoder: Decoder, create: Callable[[Decoder], Application], profile: Profile
) -> bool:
    kafka, settings = running.configured.of(KafkaSettings), running.configured.of(ProcessorsSettings)
    application = create(decoder)
    producer = create_producer(kafka, profile)
    loader = PartitionLoader(kafka, f"{application.name}-states")
    outbox = Outbox(producer, decoder.codec)
    group = f"{settings.group_prefix}{application.name}"
    app = create_app(group, settings, kafka)
    states = StateStore(group, application.state_topic, loader, decoder, outbox)
    connections = Connections(Inputs(app), outbox, states, decoder, Losses(kafka, decoder, group))
    worker = Worker(application, connections, settings, running.health, SystemClock())
    add_agent(app, application.logic.topics, worker.take)
    app.on_partitions_assigned.connect(worker.on_assigned, weak=False)
    app.on_partitions_revoked.connect(worker.on_revoked, weak=False)
    await application.start()
    try:
        return await _run(app, worker, running.stop)
    finally:
        await application.stop()
        await asyncio.to_thread(producer.close)
        await asyncio.to_thread(loader.close)


async def _run(app: ProcessorApp, worker: Worker, stop: StopSignal) -> bool:
    """Whether it ended because it was told to."""
    bind_to_running_loop(app)
    app.finalize()
    checkpoints = asyncio.create_task(worker.run())
    told = asyncio.create_task(stop.wait())
    ended = asyncio.create_task(_life(app))
    try:
        ends: set[asyncio.Future[Any]] = {told, ended, worker.failure, checkpoints}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        is_clean = told.done() and not worker.failure.done()
        if ended.done() and (error := ended.exception()) is not None:
            log.error("faust ended", exc_info=error)
        if checkpoints.done() and not worker.failure.done():
            log.error("checkpoints ended")
        checkpoints.cancel()
        if is_clean:
            await worker.hand_over()
        await _stopped(app)
    finally:
        for task in (checkpoints, told, ended):
            task.cancel()
        await asyncio.gather(checkpoints, told, ended, return_exceptions=True)
    return is_clean


async def _life(app: ProcessorApp) -> None:
    """From the start of Faust to its end, which is an error unless it was stopped."""
    await app.start()
    await app.wait_until_stopped()
    if app.crashed:
        log.error("faust crashed", error=type(app.crash_reason).__name__)


async def _stopped(app: ProcessorApp) -> None:
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await app.stop()
    except TimeoutError:
        log.warning("faust did not stop in time", timeout_s=STOP_TIMEOUT_S)
