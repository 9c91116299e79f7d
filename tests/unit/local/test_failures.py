"""A command that cannot do its work says so in a sentence, quotes what failed, and ends with one status."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from deploy.local import disk, failures
from deploy.local.broker.broker import last_error
from deploy.local.broker.java import NoJava
from deploy.local.demo import command
from deploy.local.failures import FAILED, sentence, tell
from deploy.local.project import said_in
from deploy.local.settings import LocalSettings
from deploy.local.unit import UnitFailed
from deploy.local.up import up

GET = httpx.Request("GET", "http://127.0.0.1:8080/api/v1/x?token=t")
BROKER_LOG = """\
2026-11-25 20:20:01,123 WARN Log something is slow
2026-11-25 20:20:02,123 ERROR LogDirFailureChannel Error while writing to topic-0
java.io.IOException: No space
2026-11-25 20:20:03,123 FATAL KafkaRaftServer Broker ends: it has no directory left
\tat kafka.Kafka
"""


def told(failure: Exception, folder: Path) -> str:
    output = io.StringIO()
    assert tell(failure, Console(file=output, width=100), folder) == FAILED
    return output.getvalue()


def test_a_failed_process_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {number}\n" for number in range(50)))
    lines = told(UnitFailed("x ended", log), tmp_path).splitlines()
    assert lines[0] == f"x ended: see {log}"
    assert (len(lines), lines[-1].strip()) == (21, "line 49")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (NoJava("no Java"), "no Java"),
        (OSError(errno.EACCES, "Permission denied", "/x/y"), "/x/y: Permission denied"),
        (OSError("closed"), "closed"),
        (httpx.ConnectError("refused", request=GET), "no answer from http://127.0.0.1:8080/api/v1/x: refused"),
        (httpx.ReadTimeout("", request=GET), "no answer from http://127.0.0.1:8080/api/v1/x: ReadTimeout"),
        (
            httpx.HTTPStatusError("mdn", request=GET, response=httpx.Response(503, json={"detail": "catching up"})),
            "http://127.0.0.1:8080/api/v1/x answered 503: catching up",
        ),
    ],
)
def test_every_failure_has_a_sentence(failure: Exception, said: str) -> None:
    assert sentence(failure) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": "no"}', "no"),
        ('{"detail": "not now"}', "not now"),
        ('{"client_id": ["This client id belongs to another project."]}',
         "client_id: This client id belongs to another project."),
        ("<html>", "<html>"),
        ("[1]", "[1]"),
    ],
)  # fmt: skip
def test_the_apis_own_words_are_shown(body: str, said: str) -> None:
    assert said_in(body) == said


def test_a_full_disk_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = disk.described(tmp_path, 100_000)
    assert full == f"the disk of {tmp_path} is full (0.1 MiB left): make room, then start again"
    assert disk.described(tmp_path, 10**9) == ""
    monkeypatch.setattr(failures, "shortage", lambda _folder: full)
    assert told(UnitFailed("topics failed"), tmp_path) == f"topics failed: {full}\n"
    log = tmp_path / "broker.log"
    log.write_text("a stack trace\n")
    said = told(UnitFailed("kafka ended: " + disk.described(tmp_path / "kafka", 0), log), tmp_path)
    assert (said.count("\n"), said.count("is full")) == (1, 1)


def test_a_folder_that_is_not_there_yet_is_on_the_disk_of_its_parents(tmp_path: Path) -> None:
    assert disk.shortage(tmp_path / "not" / "there") == ""


def test_the_last_error_of_a_broker_is_what_it_ended_of() -> None:
    assert last_error(BROKER_LOG) == "Broker ends: it has no directory left"
    assert last_error("") == ""


def test_the_same_fault_has_the_same_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run folder that cannot be made: its parent is a file."""
    (tmp_path / "file").touch()
    settings = LocalSettings(run_dir=tmp_path / "file" / "run")
    assert up(settings) == command.main([], settings) == FAILED
    said = capsys.readouterr()
    assert said.out.replace("\n", "").count("cannot be used: Not a directory") == 2
    assert "Traceback" not in said.out + said.err


def test_a_java_that_is_none_has_the_same_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = LocalSettings(run_dir=tmp_path / "run").model_copy(update={"java_home": tmp_path})
    assert up(settings) == command.main([], settings) == FAILED
    assert capsys.readouterr().out.count("holds no Java") == 2
