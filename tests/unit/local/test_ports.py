"""Ports are free when they are handed out, and distinct."""

from __future__ import annotations

import socket

from deploy.local.ports import free_ports, is_free, preferred_or_free


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
