"""A child is known to the guard before it does anything, so that nothing of it is left whenever its owner dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from deploy.local.process import Process
from deploy.local.settings import REPOSITORY
from tests.support.processes import PATIENCE_S, runs, wait_for

DIES_AT_ONCE = """
import os, signal, sys
from pathlib import Path
from deploy.local import process

def killed(group):
    print(group, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

process._GUARD.add = killed
process.Process(["sh", "-c", "echo begun; sleep 600"], Path(sys.argv[1]))
"""


def test_what_is_started_while_its_owner_is_killed_does_not_begin(tmp_path: Path) -> None:
    log = tmp_path / "log"
    owner = subprocess.run([sys.executable, "-c", DIES_AT_ONCE, str(log)], cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert owner.returncode == -signal.SIGKILL
    wait_for(lambda: not runs(int(owner.stdout)), PATIENCE_S, lambda: "it goes on, and nobody knows of it")
    assert log.read_text() == ""


def test_it_is_what_was_asked_for_with_its_arguments_and_nothing_to_read(tmp_path: Path) -> None:
    program = "import sys; print(sys.argv[1:], repr(sys.stdin.read())); sys.exit(7)"
    child = Process([sys.executable, "-c", program, "a b", "", "$x"], tmp_path / "log")
    assert child.wait(PATIENCE_S) == 7
    assert (tmp_path / "log").read_text() == "['a b', '', '$x'] ''\n"


def test_one_that_is_killed_before_it_begins_is_simply_dead(tmp_path: Path) -> None:
    child = Process(["sleep", "600"], tmp_path / "log")
    assert child.kill() == -signal.SIGKILL
    assert not runs(child.pid)
