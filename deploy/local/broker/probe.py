"""Asks a port whether our broker answers there: an open port alone may belong to somebody else's."""

from __future__ import annotations

import socket
import struct

_API_VERSIONS = (18, 0, b"")
# Metadata of version 2 for no topics: the answer names the brokers and the cluster.
_METADATA = (3, 2, struct.pack(">i", 0))
_TIMEOUT_S = 2.0


def answers(port: int, cluster_id: str) -> bool:
    """Whether the broker of this cluster serves clients on the loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as connection:
            (error,) = struct.unpack(">h", _ask(connection, *_API_VERSIONS)[4:6])
            return error == 0 and cluster_id.encode() in _ask(connection, *_METADATA)
    except (OSError, EOFError, struct.error):
        return False


def _ask(connection: socket.socket, api: int, version: int, body: bytes) -> bytes:
    client = b"ready-probe"
    request = struct.pack(">hhih", api, version, 1, len(client)) + client + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _read(connection, 4))
    return _read(connection, length)


def _read(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise EOFError
        received += part
    return received
