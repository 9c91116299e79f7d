"""Gives a client its brokers again where librdkafka has lost them all (ADR 37).

That is one call of the library, which it may be given at any time and which changes nothing for a client that has them.
The Python client has none for it, so it is made past it: only with the release of it whose layout this is known for.
"""

import ctypes
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

KNOWN = "2.16.0"
"""Of confluent-kafka. Where another one is locked, look at its `Handle` and let the tests run."""


def give_back(client: Producer | Consumer | AdminClient, brokers: str) -> bool:
    """Have `client` know `brokers`, its bootstrap servers; whether that could be done here."""
    library = _library()
    if library is None:
        return False
    handle = ctypes.c_void_p.from_address(id(client) + object.__basicsize__)  # its first field
    return int(library.rd_kafka_brokers_add(handle, brokers.encode())) >= 0


@cache
def _library() -> ctypes.CDLL | None:
    """The one that the Python client has loaded, if that is the one we know."""
    if version("confluent-kafka") != KNOWN:
        return None
    maps = Path("/proc/self/maps")
    found = set(re.findall(r"\S*/librdkafka\S*\.so\S*", maps.read_text())) if maps.exists() else set()
    return ctypes.CDLL(found.pop()) if len(found) == 1 else None
