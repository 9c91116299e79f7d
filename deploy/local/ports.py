"""Free loopback ports: nothing of the local stack listens anywhere but on 127.0.0.1.

A port is chosen long before a child binds it, and several stacks may start on one machine at the same time. So whoever
chooses a free port reserves it: a lock on one byte of a common file, held until the choosing process ends.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
import threading
from pathlib import Path

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
    """Distinct ports that are free as of now, and that nobody who asks here will be given while this process lives."""
    ports = random.sample(range(_FIRST, _LAST), _LAST - _FIRST)
    return [port for port, _ in zip(filter(take, ports), range(count), strict=False)]


def preferred_or_free(port: int) -> int:
    """The port itself where it is free, else another one; 0 has no preference."""
    return port if port and is_free(port) else free_ports(1)[0]


class _Reservations:
    """What this process was given, and the file that tells the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mine: set[int] = set()
        self._file: int | None = None

    def take(self, port: int) -> bool:
        """Whether the port is this process's from now on."""
        with self._lock:
            if port in self._mine:
                return False
            if self._file is None:
                path = Path(tempfile.gettempdir()) / f"rtms-local-ports-{os.getuid()}"
                self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            except OSError:
                return False
            self._mine.add(port)
            return True


_RESERVATIONS = _Reservations()


def take(port: int) -> bool:
    """Whether the port is free and, from now on, reserved for this process."""
    return is_free(port) and _RESERVATIONS.take(port)
