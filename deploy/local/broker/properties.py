"""The broker's settings: one KRaft node that is quick to start, to fail over and to forgive."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from schemas.topics import MAX_BATCH_BYTES


class Listeners(NamedTuple):
    """Loopback ports: clients', and the controller's own."""

    client: int
    controller: int


def broker_properties(data: Path, listeners: Listeners) -> str:
    """The text of server.properties for a single node on the loopback interface."""
    clients, controller = (f"127.0.0.1:{port}" for port in listeners)
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": controller,
        "listeners": f"PLAINTEXT://{clients},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{clients}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": data,
        **_SINGLE_NODE,
        **_FAIL_OVER,
        **_LIMITS,
        **_FOOTPRINT,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


_SINGLE_NODE: dict[str, object] = {
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 8,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    # A record twice a second that says nothing; other controllers would see by it how far they are: there are none.
    "metadata.max.idle.interval.ms": 0,
}

_FAIL_OVER: dict[str, object] = {
    # After a kill the controller waits for the dead incarnation's session; the default of 9 s triples a restart.
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 500,
    # An abandoned transaction blocks its readers until the next scan; the default is every 10 s.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    "group.min.session.timeout.ms": 6000,
    "group.consumer.min.session.timeout.ms": 6000,
    "group.consumer.session.timeout.ms": 8000,
    "group.consumer.min.heartbeat.interval.ms": 1000,
    "group.consumer.heartbeat.interval.ms": 1000,
}

_LIMITS: dict[str, object] = {
    "message.max.bytes": MAX_BATCH_BYTES,
    "replica.fetch.max.bytes": MAX_BATCH_BYTES,
    # Retention can be no finer than its check; the default is every five minutes.
    "log.retention.check.interval.ms": 30_000,
}

_FOOTPRINT: dict[str, object] = {
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    # The cleaner's map lives on the heap: 16 MiB hold over half a million keys a pass, the default takes 128 MiB.
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    "log.cleaner.backoff.ms": 5000,
}

LOGGING = """\
status=error
appender.file.type=RollingFile
appender.file.name=FILE
appender.file.fileName=${sys:kafka.log.file}
appender.file.filePattern=${sys:kafka.log.file}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %p %c{1} %m%n
appender.file.policies.type=SizeBasedTriggeringPolicy
appender.file.policies.size=16MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
rootLogger.level=WARN
rootLogger.appenderRef.file.ref=FILE
"""
