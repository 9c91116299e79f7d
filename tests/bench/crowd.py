"""Many who listen, and one who does not answer: readers of one replica, and sessions told beside a dead receiver.

Lines are written as a processor writes them. Each reader must hear each line of its session once, and be told as soon
as one alone is; and what a receiver that is there is told must not wait for one that is not.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from tests.support.crowd import Crowd
from tests.support.house import House, Tenant
from tests.support.processes import wait_for
from tests.support.receiver import Receiver, Told

READERS = 500
READ = 20
"""Sessions that they listen to."""

READ_LINES = 10
READ_PAUSE_S = 0.1
"""Between two lines, of whichever session: each goes to 25 readers."""

TOLD_LINES = 2
TOLD_PAUSE_S = 0.02
"""Fifty lines a second in all, two in each session."""

PATIENCE_S = 60.0

Say = Callable[[str, int], str]
"""Writes one line of a session, by its number; its id."""


def read(house: House, tenant: Tenant, names: Sequence[str], say: Say) -> list[float]:
    """Seconds from the moment a line is handed to Kafka to each of its readers."""
    names = names[:READ]
    with closing(Crowd(house, tenant)) as crowd:
        crowd.come(names, READERS)
        said = {}
        for number in range(READ_LINES):
            for name in names:
                said[say(name, number)] = time.monotonic()
                time.sleep(READ_PAUSE_S)

        def is_all_heard() -> bool:
            return all(len(heard) == READ_LINES for heard in crowd.heard)

        wait_for(is_all_heard, PATIENCE_S, lambda: f"heard {Counter(len(heard) for heard in crowd.heard)}")
        assert all(len(times) == 1 for heard in crowd.heard for times in heard.values()), "a line came twice"
        return [times[0] - said[item] for heard in crowd.heard for item, times in heard.items()]


def told_beside_a_dead_one(
    tenant: Tenant, receiver: Receiver, names: Sequence[str], say: Say
) -> tuple[list[float], int]:
    """Seconds from the moment a line is handed to Kafka to the receiver that is there, while another, who is to be told
    the same, takes every connection and never answers; and how often that one was tried."""
    told: dict[str, float] = {}

    def on_told(one: Told) -> None:
        told.setdefault(one.data["segment_id"], time.monotonic())

    receiver.on_told = on_told
    with _dead() as (url, tried):
        hook = {"url": url, "triggers": ["transcript.update"]}
        tenant.http.post("/webhooks", json=hook).raise_for_status()
        said: dict[str, float] = {}
        for number in range(TOLD_LINES):
            for name in names:
                said[say(name, number)] = time.monotonic()
                time.sleep(TOLD_PAUSE_S)
        wait_for(lambda: len(told) >= len(said), PATIENCE_S, lambda: f"{len(told)} of {len(said)} told")
        return [told[item] - at_s for item, at_s in said.items()], len(tried)


@contextmanager
def _dead() -> Iterator[tuple[str, list[socket.socket]]]:
    """The address of a receiver that lets everybody in and says nothing; who came."""
    came: list[socket.socket] = []

    def listen() -> None:
        while True:
            try:
                came.append(server.accept()[0])
            except OSError:
                return

    with closing(socket.create_server(("127.0.0.1", 0), backlog=256)) as server:
        threading.Thread(target=listen, name="dead receiver", daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook", came
        server.shutdown(socket.SHUT_RDWR)
    for visitor in came:
        visitor.close()
