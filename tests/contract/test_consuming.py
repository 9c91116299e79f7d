"""The examples of docs/consuming.md, run as they stand there against the real stack."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from deploy.local.broker.jars import broker_jars
from deploy.local.settings import REPOSITORY, LocalSettings
from schemas import topics
from schemas.ids import partition_of
from schemas.keys import item_key
from schemas.records import OutputKind, Utterance
from tests.support.processes import PATIENCE_S
from tests.support.writer import writing

EXAMPLES = REPOSITORY / "docs" / "examples"


def in_python() -> list[str]:
    return [sys.executable, str(EXAMPLES / "live_transcript.py")]


def in_java() -> list[str]:
    """As source: only a JDK can run that. What it needs is among the broker's jars."""
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        pytest.skip("this machine has no JDK")
    jars = broker_jars(LocalSettings().kafka_home, LocalSettings().cache_dir)
    return [
        java,
        "-Xmx128m",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        ":".join(map(str, jars)),
        str(EXAMPLES / "LiveTranscript.java"),
    ]


def in_node() -> list[str]:
    """With what its first lines say is to be installed, in the folder where it is."""
    node = shutil.which("node")
    if node is None or not (EXAMPLES / "node_modules").is_dir():
        pytest.skip("kafkajs is not installed in docs/examples")
    return [node, str(EXAMPLES / "live_transcript.mjs")]


def in_go() -> list[str]:
    """Likewise."""
    go = shutil.which("go")
    if go is None or not (EXAMPLES / "go.sum").is_file():
        pytest.skip("there is no Go module in docs/examples")
    return [go, "run", "-C", str(EXAMPLES), "live_transcript.go"]


def said(session_id: str, item: str, text: str, revision: int = 1) -> Utterance:
    return Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=item, revision=revision, engine="zoom",
                     participant_name="Ada", text=text)  # fmt: skip


@pytest.mark.parametrize("program", [in_python, in_java, in_node, in_go])
def test_a_live_transcript_by_stock_clients(topics_ready: dict[str, str], program: Callable[[], list[str]]) -> None:
    command = program()
    session_id, group = f"app_{uuid.uuid4().hex[:16]}", f"example-{uuid.uuid4().hex}"
    lines = [
        said(session_id, "utt_1", "hello"),
        said(session_id, "utt_2", "whirled"),
        said(session_id, "utt_1", "hello"),
        said(session_id, "utt_2", "world", 2),
        said("app_other", "utt_3", "elsewhere"),
    ]
    own = ("--group", group, "--session", session_id)
    with writing(topics_ready) as others, running_example(command, topics_ready, *own) as consumer:

        def write(key: bytes, value: Utterance | None) -> None:
            encoded = None if value is None else others.decoder.codec.encode(topics.TRANSCRIPTS, value)
            partition = partition_of(session_id, others.kafka.partitions)
            others.producer.send_blocking(topics.TRANSCRIPTS, key, encoded, partition)

        for line in lines:
            write(item_key(line.session_id, line.utterance_id), line)
        assert consumer.stdout is not None
        heard = [consumer.stdout.readline().rstrip() for _ in range(3)]
        write(item_key(session_id, "utt_1"), None)
        write(item_key(session_id, "end"), Utterance(session_id=session_id, kind=OutputKind.END))
        heard += consumer.stdout.read().splitlines()
        assert consumer.wait(PATIENCE_S) == 0
    assert heard == [
        f"{session_id} Ada: hello",
        f"{session_id} Ada: whirled",
        f"{session_id} Ada: world",
        f"{session_id} utt_1 deleted",
        f"{session_id} end",
    ]


@contextmanager
def running_example(command: list[str], kafka: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The example, running; what it prints is in `stdout`."""
    addresses = ("--brokers", kafka["RTMS_KAFKA_BOOTSTRAP_SERVERS"], "--registry", kafka["RTMS_KAFKA_REGISTRY_URL"])
    command = [*command, *addresses, *arguments]
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.kill()
