"""Free loopback ports: nothing of the local stack listens anywhere but on 127.0.0.1."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which systems choose the local ends of connections: a port found free here is still free when
# the process that was given it gets round to binding it.
_FIRST, _LAST = 15_000, 32_000


def is_free(port: int) -> bool:
    """Whether the port can be bound now; somebody may still be faster than the caller."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Distinct ports that are free as of now."""
    ports = random.sample(range(_FIRST, _LAST), _LAST - _FIRST)
    return [port for port, _ in zip(filter(is_free, ports), range(count), strict=False)]


def preferred_or_free(port: int) -> int:
    """The port itself where it is free, else another one; 0 has no preference."""
    return port if port and is_free(port) else free_ports(1)[0]
