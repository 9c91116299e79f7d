"""Kafka's own tools as its distribution has them in `bin`, on the broker's jars and one more."""

from __future__ import annotations

import shlex
from pathlib import Path

from deploy.local.broker.jars import Jar, have_jars
from deploy.local.settings import LocalSettings
from tests.support.made_before import runtime

_JAR = Jar(
    "org.apache.kafka:kafka-tools:4.3.1",
    "kafka-tools-4.3.1.jar",
    698668,
    "197b2813651e85294743be937b723c2a7a521181b06b153c5a572549915717a92ab84e42d3c7bb3afaee958bc1ad875f12204f00fe22a9f4"
    "d493e61ae5126183",
)
_MAIN_CLASSES = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}


def kafka_tools(folder: Path) -> Path:
    """The folder to put on the PATH. The jar is fetched once, like the broker's."""
    kept = LocalSettings().cache_dir / "kafka-tools-jars"
    have_jars(kept, [_JAR])
    broker = runtime()
    # The broker's start-up archive is for its class path alone.
    command = broker._replace(jars=[kept / _JAR.file, *broker.jars], archive=())
    folder.mkdir()
    for name, main_class in _MAIN_CLASSES.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(command.command(main_class))} "$@"\n')
        (folder / name).chmod(0o700)
    return folder
