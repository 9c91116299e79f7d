"""Network, mount and process namespaces of a run's own: whatever happens in there, leaving ends it and undoes it.

The first process of the process namespace is `python -m tests.cluster.inside`; when it ends, or whoever started it, the
kernel kills all the others, and with the last one go mounts, bridges, routes and packet filters. What a namespace does
not hold, the control groups of containers, is made under one name and removed here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.local.settings import REPOSITORY
from tests.cluster.machine import CGROUPS, Unfit

CGROUP = "rtms-cluster"
GRACE_S = 20.0
_LOOK_S = 0.1
_UNIFIED = "cgroup.controllers"


def run(folder: Path, *arguments: str) -> int:
    """The exit code of the run inside; its files stay in `folder`, but for what is large."""
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    command += ["--mount-proc", sys.executable, "-m", "tests.cluster.inside", *arguments]
    _make_control_groups()
    inside = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True)
    try:
        return inside.wait()
    finally:
        _end(inside)
        _remove_control_groups()
        clear(folder)


def clear(folder: Path) -> None:
    """Leave logs and what was measured."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != "logs":
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix == ".tar":
            path.unlink()


def _end(inside: subprocess.Popen[bytes]) -> None:
    """`unshare` lets nobody's SIGTERM end it, so its whole session is asked; then it is killed, and all with it."""
    if inside.poll() is None:
        os.killpg(inside.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            inside.wait(GRACE_S)
    inside.kill()
    inside.wait()


def _hierarchies() -> Iterator[Path]:
    """One for each controller (version 1), or the only one (version 2)."""
    if (CGROUPS / _UNIFIED).exists():
        yield CGROUPS
        return
    for path in CGROUPS.iterdir():
        if path.is_dir() and not path.is_symlink() and (path / "cgroup.procs").exists():
            yield path


def _make_control_groups() -> None:
    _remove_control_groups()
    for hierarchy in _hierarchies():
        (hierarchy / CGROUP).mkdir(exist_ok=True)
        if (hierarchy / _UNIFIED).exists():
            offered = (hierarchy / _UNIFIED).read_text().split()
            for group in (hierarchy, hierarchy / CGROUP):
                _hand_down(group, offered)


def _hand_down(group: Path, controllers: list[str]) -> None:
    """Version 2: a container's own root has processes of its own, and then nothing can be handed down. Raises Unfit."""
    try:
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in controllers))
    except OSError as problem:
        raise Unfit(f"a node takes control groups of its own, which {group} refuses: {problem.strerror}") from problem


def _remove_control_groups() -> None:
    """They are empty as soon as whoever was in them is dead."""
    deadline = time.monotonic() + GRACE_S
    for hierarchy in _hierarchies():
        for path, _, _ in os.walk(hierarchy / CGROUP, topdown=False):
            while not _is_removed(Path(path)):
                if time.monotonic() > deadline:
                    raise Unfit(f"{path} is in use, by a process that does not end")
                time.sleep(_LOOK_S)


def _is_removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError as problem:
        if problem.errno != errno.EBUSY:
            raise
        return False
    return True
