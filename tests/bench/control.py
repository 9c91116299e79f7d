"""The control plane on a real broker: how soon a request is answered, a fact is a state and a change is told."""

import http.client
import json
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from deploy.local.clickhouse.process import clickhouse_server
from tests.bench.broker import kafka_in
from tests.bench.costs import cpu_seconds
from tests.bench.fact_traffic import Observer, stated
from tests.bench.quantiles import quantile
from tests.bench.rows import Row
from tests.support.house import House, Tenant, open_house, stream

PHASE_S = 8.0
IDLE, BUSY = 10, 200
"""Facts a second."""

CREATES_PER_S = 10
READ_S = 4.0
CLIENTS = 4

BUSY_STATE_P50_MS, BUSY_STATE_P99_MS = 20.0, 100.0
"""Twice what a bare transactional worker took when this design was chosen; runs differ by as much."""

Say = Callable[[str], None]


@dataclass
class Delays:
    """Seconds, at one rate of facts."""

    creates: list[float] = field(default_factory=list)
    states: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)


class Caller:
    """One connection to the API, kept alive."""

    def __init__(self, url: str, key: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        self._headers = {"Authorization": f"Token {key}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, f"/api/v1{path}", sent, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def create(self) -> dict[str, Any]:
        """A new session. Raises AssertionError unless it is answered as such."""
        status, body = self.call("POST", "/app_sessions", {"zoom_rtms": stream(uuid.uuid4().hex)})
        session: dict[str, Any] = json.loads(body)
        assert (status, session.get("state")) == (201, "connecting"), body
        return session

    def close(self) -> None:
        self._connection.close()


def measure(rounds: int, say: Say) -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rtms-bench-")))
        env = stack.enter_context(kafka_in(folder))
        clickhouse = clickhouse_server(folder / "clickhouse")
        stack.callback(clickhouse.stop)
        clickhouse.start()
        house = stack.enter_context(open_house(env, clickhouse.url, folder / "house"))
        tenant, delays, reads = house.tenant(), {IDLE: Delays(), BUSY: Delays()}, []
        _phase(house, tenant, IDLE, Delays())  # everything is loaded and every connection open now
        for number in range(1, rounds + 1):
            for per_second, into in delays.items():
                _phase(house, tenant, per_second, into)
            reads.append(_reads(house, tenant))
            told = "; ".join(f"at {rate} facts/s {_milliseconds(d.states, 0.5):.1f} ms" for rate, d in delays.items())
            say(f"round {number}: fact to state p50 {told}; {reads[-1][0]:.0f} reads/s")
        return _rows(delays, reads)


def _phase(house: House, tenant: Tenant, per_second: int, into: Delays) -> None:
    """Facts at this rate; and, at the same time when it is high, else afterwards, sessions are created."""
    with closing(Observer(house.others)) as observer, ThreadPoolExecutor(1) as pool:
        creating = pool.submit(_created, house, tenant) if per_second == BUSY else None
        facts = stated(house.others, per_second, PHASE_S)
        seen = observer.delays(facts)
        into.creates += creating.result() if creating else _created(house, tenant)
    into.states += seen.states
    into.changes += seen.changes


def _created(house: House, tenant: Tenant) -> list[float]:
    """Seconds that each create took, at their own steady rate."""
    delays = []
    with closing(Caller(house.url, tenant.key)) as caller:
        caller.create()
        began = time.monotonic()
        for number in range(round(CREATES_PER_S * PHASE_S * 0.8)):
            time.sleep(max(0.0, began + number / CREATES_PER_S - time.monotonic()))
            asked = time.monotonic()
            caller.create()
            delays.append(time.monotonic() - asked)
    return delays


def _reads(house: House, tenant: Tenant) -> tuple[float, float]:
    """Reads of a session per second by a few clients, and per CPU second of the API."""
    with closing(Caller(house.url, tenant.key)) as caller:
        path = f"/app_sessions/{caller.create()['id']}"
        wanted = caller.call("GET", path)
    assert wanted[0] == 200
    assert house.api.pid is not None
    cpu, began = cpu_seconds(house.api.pid), time.monotonic()

    def client() -> int:
        done = 0
        with closing(Caller(house.url, tenant.key)) as own:
            while time.monotonic() - began < READ_S:
                assert own.call("GET", path) == wanted
                done += 1
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        count = sum(done.result() for done in [pool.submit(client) for _ in range(CLIENTS)])
    return count / (time.monotonic() - began), count / (cpu_seconds(house.api.pid) - cpu)


def _rows(delays: dict[int, Delays], reads: Sequence[tuple[float, float]]) -> list[Row]:
    rows = []
    for per_second, found in delays.items():
        load = "idle" if per_second == IDLE else f"at {per_second} facts/s"
        goals = (BUSY_STATE_P50_MS, BUSY_STATE_P99_MS) if per_second == BUSY else (None, None)
        rows += _quantiles(f"create to answer, {load}", found.creates)
        rows += _quantiles(f"fact to visible state, {load}", found.states, goals)
        rows += _quantiles(f"fact to webhook-ready change, {load}", found.changes)
    per_cpu_s = median(per_cpu for _, per_cpu in reads)
    rows.append(
        Row(
            name="GET app_sessions/{id}",
            unit="1/s",
            ours=median(rate for rate, _ in reads),
            more_is_better=True,
            note=f"{CLIENTS} clients on the same machine; {per_cpu_s:.0f} per CPU second of the API's process",
        )
    )
    return rows


def _quantiles(
    name: str, delays: Sequence[float], goals: tuple[float | None, float | None] = (None, None)
) -> list[Row]:
    note = f"{len(delays)} of them"
    return [
        Row(name=f"{name}, p{share * 100:.0f}", unit="ms", ours=_milliseconds(delays, share), goal=goal, note=note)
        for share, goal in zip((0.5, 0.99), goals, strict=True)
    ]


def _milliseconds(delays: Sequence[float], share: float) -> float:
    return quantile(delays, share) * 1000
