"""`scripts/setup` with a real Python, venv and pip, and nothing to install: a Ctrl-C at any moment costs only time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.settings import REPOSITORY

PYTHON = """#!/bin/sh
# The real one, but an environment is not made before `made` is there.
'{python}' "$@" || exit
case " $* " in *" venv "*) while [ ! -e '{clone}/made' ]; do sleep 0.05; done ;; esac
"""
OURS = ("api", "connectors", "deploy/local", "ingest", "processors", "schemas", "sinks")
INTERRUPTED = 130

PATIENCE_S = 300
"""An environment with pip in it takes a minute where every core is busy."""


def _hear_interrupts() -> None:
    """Whoever is started in the background of a shell ignores Ctrl-C, and so do all whom he starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class SetUp:
    """One run of the script in a clone of its own, as `make` starts it."""

    def __init__(self, clone: Path, number: int) -> None:
        self._output = clone / f"output-{number}"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                ["scripts/setup"],
                cwd=clone,
                env=os.environ | {"PYTHON": str(clone / "python"), "PIP_NO_INDEX": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_hear_interrupts,
            )

    def said(self) -> str:
        return self._output.read_text()

    def interrupt(self) -> None:
        """What a terminal does at Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> int:
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for folder in ("scripts", *OURS):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(REPOSITORY / "scripts" / "setup", tmp_path / "scripts" / "setup")
    (tmp_path / "requirements.lock").write_text("# name==version, if there were any\n")
    (tmp_path / "deploy/local/kafka.lock.json").write_text("[]\n")
    (tmp_path / "deploy/local/__main__.py").write_text("print('prepared')\n")
    (tmp_path / "python").write_text(PYTHON.format(python=sys.executable, clone=tmp_path))
    (tmp_path / "python").chmod(0o755)
    return tmp_path


@pytest.fixture
def start(clone: Path) -> Iterator[Callable[[], SetUp]]:
    started: list[SetUp] = []

    def start() -> SetUp:
        started.append(SetUp(clone, len(started)))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.interrupt()
            one.end()


def wait_until(condition: Callable[[], bool], state: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, state()
        time.sleep(0.01)


@pytest.mark.timeout(900)
def test_what_was_interrupted_is_done_again_and_who_comes_meanwhile_waits(
    clone: Path, start: Callable[[], SetUp]
) -> None:
    first = start()
    wait_until((clone / ".venv/bin/python").exists, first.said)
    second = start()
    wait_until(lambda: "waiting for it" in second.said(), second.said)

    first.interrupt()

    assert first.end() == INTERRUPTED
    (clone / "made").touch()
    assert "Traceback" not in first.said()
    assert "interrupted; the next make does it again" in first.said()
    assert second.end() == 0, second.said()
    assert second.said().splitlines()[:2] == [
        "Another make is setting this folder up: waiting for it",
        "The set-up in .venv was interrupted: starting again",
    ]
    assert second.said().endswith("prepared\nReady.\n")
    assert (clone / ".venv/.ready").exists()

    (clone / "requirements.lock").write_text("a-package-that-nobody-has==1\n")
    offline = start()
    assert offline.end() == 1
    assert "the next make tries again" in offline.said()
    (clone / "requirements.lock").write_text("# name==version\n")
    again = start()
    assert again.end() == 0
    assert "interrupted" not in again.said()  # what had failed had changed nothing


@pytest.mark.timeout(900)
def test_who_has_waited_for_a_set_up_that_succeeds_does_nothing(clone: Path, start: Callable[[], SetUp]) -> None:
    (clone / "made").touch()
    (clone / "deploy/local/__main__.py").write_text(
        "import pathlib, time\nwhile not pathlib.Path('go-on').exists():\n    time.sleep(0.01)\n"
    )
    first, second = start(), start()
    wait_until(lambda: "waiting for it" in first.said() + second.said(), second.said)
    (clone / "go-on").touch()

    assert (first.end(), second.end()) == (0, 0)
    [waited] = [one.said() for one in (first, second) if "waiting" in one.said()]
    assert waited == "Another make is setting this folder up: waiting for it\nIt is done.\n"
