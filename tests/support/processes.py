"""Our services as processes under test, with the session's stack behind them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.local.ports import free_ports
from deploy.local.server import Server
from deploy.local.unit import Program

PATIENCE_S = 90.0
"""For what is waited for without a promise of when: it only keeps a test from hanging, on a busy machine as well."""

ANSWER_S = 2 * PATIENCE_S
"""For an answer of a service that may wait for something itself, for so long at the most."""

SOONEST_S, LATEST_S = 0.02, 0.1
"""Between two looks at what is waited for."""


def service(arguments: list[str], env: dict[str, str], log: Path) -> Server:
    """One of our services, not yet started: `.start()` waits for its probe, `.kill()` is kill -9."""
    (port,) = free_ports(1)
    program = Program(
        name=" ".join(arguments),
        argv=(sys.executable, *arguments),
        port=port,
        log=log,
        env={**env, "RTMS_HEALTH_PORT": str(port)},
    )
    return Server(program, "/readyz")


@contextmanager
def running(arguments: list[str], env: dict[str, str], log: Path) -> Iterator[Server]:
    """A started, ready service that is gone afterwards."""
    server = service(arguments, env, log)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def runs(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of one that nobody has asked after yet."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def rss_bytes(server: Server) -> int:
    """How much memory the process holds now."""
    held: int = psutil.Process(server.pid).memory_info().rss
    return held


def wait_for(condition: Callable[[], bool], timeout_s: float, failure: Callable[[], str]) -> None:
    """Wait until `condition` holds; `failure` is asked for the message when it did not in time.

    It is asked for less often the longer it takes: what answers needs the processor that is waited for.
    """
    began = time.monotonic()
    while not condition():
        waited_s = time.monotonic() - began
        if waited_s > timeout_s:
            raise AssertionError(failure())
        time.sleep(min(max(SOONEST_S, waited_s / 10), LATEST_S))
