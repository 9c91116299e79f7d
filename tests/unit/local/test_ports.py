"""Ports are free when they are handed out, and distinct."""

from __future__ import annotations

import socket
import subprocess
import sys

from deploy.local.ports import free_ports, is_free, preferred_or_free, take
from deploy.local.settings import REPOSITORY


def test_free_ports_are_distinct_and_free() -> None:
    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert all(map(is_free, ports))


def test_a_taken_port_is_replaced() -> None:
    [port] = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert preferred_or_free(port) != port
    assert preferred_or_free(port) == port


def test_zero_prefers_nothing() -> None:
    assert preferred_or_free(0) > 0


def test_another_process_is_given_other_ports_until_this_one_ends() -> None:
    program = "from deploy.local.ports import free_ports; print(free_ports(1)[0], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        port = int(other.stdout.readline())
        assert is_free(port)
        assert not take(port)
        other.stdin.close()
    assert take(port)
    assert not take(port)
