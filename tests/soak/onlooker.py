"""A client that reads everything there is to read, all the while, and asks for the same again; it expects what a user
does: an answer, or a reason to try again, and no answer that an earlier one was wrong.

`503` with `Retry-After` and a refused or broken connection are put up with while what is needed for the answer is in
trouble. Everything else that is no answer is a complaint, a 500 above all. Only where nothing is in trouble a machine
may still be busy: what is asked again after `Retry-After` then has to be answered.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from schemas.settings import Engine
from tests.soak.answers import certain
from tests.soak.customer import Customer, ended, pages
from tests.soak.faults import API, CLICKHOUSE, KAFKA
from tests.soak.orders import Order
from tests.soak.told import Told
from tests.soak.troubles import Troubles

BETWEEN_S = 0.05
REQUEST_EVERY_S = 0.2
RETRY_S = 0.2
VISIT_EVERY = 10
MOST_VISITS = 60
PART_BYTES = 1000

OK, CREATED, PARTIAL, NOT_FOUND, UNAVAILABLE = 200, 201, 206, 404, 503


@dataclass(frozen=True, slots=True)
class Question:
    """`needs` is what must be well for an answer; `answers` are the statuses that are one."""

    name: str
    needs: frozenset[str]
    answers: frozenset[int] = frozenset({OK})


_READ = frozenset({API})  # a session's state is in the replica, whatever else is away
_ROWS = frozenset({API, CLICKHOUSE})
_WRITTEN = frozenset({API, KAFKA, "lifecycle"})

SESSION = Question("session", _READ)
LIST = Question("list", _ROWS)
TRANSCRIPT = Question("transcript", _ROWS)
EVENTS = Question("participant events", _ROWS)
MEDIA = Question("media", _READ | {KAFKA}, frozenset({OK, NOT_FOUND}))  # "not yet" is asked of the log's end
DOWNLOAD = Question("download", _READ, frozenset({PARTIAL}))
CREATE = Question("create", _WRITTEN, frozenset({CREATED}))
END = Question("end", _WRITTEN)
QUESTIONS = (SESSION, LIST, TRANSCRIPT, EVENTS, MEDIA, DOWNLOAD, CREATE, END)


class Onlooker:
    """Use `looking` while an act is played. `complaints` is empty when the API did what a user expects."""

    def __init__(self, customer: Customer, troubles: Troubles, act: str) -> None:
        self._customer = customer
        self._troubles = troubles
        self._act = act
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.complaints: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._busy: set[str] = set()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Reads in one thread and asks in another until it is left."""
        with ThreadPoolExecutor(2) as pool:
            looking = [pool.submit(self._go, what) for what in (_Reader, _Requester)]
            try:
                yield
            finally:
                self._over.set()
            for future in looking:
                future.result()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def sessions(self) -> dict[str, str]:
        """Acknowledged so far in this act, by stream."""
        return {
            stream: own for stream, own in list(self._customer.sessions.items()) if stream.startswith(f"{self._act}-")
        }

    def all_sessions(self) -> list[str]:
        """Acknowledged so far in any act."""
        return list(self._customer.sessions.values())

    def acknowledged(self, stream_id: str, session_id: str) -> None:
        """Also what only this client has asked for is never forgotten."""
        if self._customer.sessions.setdefault(stream_id, session_id) != session_id:
            self.complain([f"{stream_id}: another session than at first"])

    def order(self, stream_id: str) -> Order:
        """What is asked for of a stream."""
        return self._customer.order(stream_id)

    def visit(self, number: int) -> str:
        """A stream that nobody else asks for."""
        return f"{self._act}-visit-{number}"

    def complain(self, found: Sequence[str]) -> None:
        with self._lock:
            self.complaints.update(found)

    def pause(self, seconds: float) -> None:
        self._over.wait(seconds)

    def ask(self, http: httpx.Client, question: Question, path: str, **body: Any) -> httpx.Response | None:
        """The answer; None when there was none for a good reason. Complains where there was no good one."""
        began_s = time.monotonic()
        try:
            answer = http.request("POST" if "json" in body else "GET", path, **body)
        except httpx.TransportError as error:
            self._refused(question, type(error).__name__, began_s)
            return None
        if answer.status_code == UNAVAILABLE:
            self._refused(question, f"503 {answer.text}", began_s, int(answer.headers.get("retry-after", 0)))
            return None
        self.pause(BETWEEN_S)
        if answer.status_code not in question.answers:
            self.complain([f"{question.name}: {answer.status_code} {answer.text[:200]}"])
            return None
        with self._lock:
            self.answered[question.name] += 1
            self._busy.discard(question.name)
        return answer

    def _refused(self, question: Question, how: str, began_s: float, again_s: int = 0) -> None:
        """`again_s` is after how long the API wants to be asked again, 0 where it says nothing of the kind."""
        is_explained = self._troubles.explain(question.needs, began_s, time.monotonic())
        with self._lock:
            self.refused[question.name] += 1
            is_first = question.name not in self._busy
            if not is_explained:
                self._busy.add(question.name)
        if is_explained and how.startswith("503") and not again_s:
            self.complain([f"{question.name}: 503 without Retry-After"])
        if not is_explained and again_s and is_first:
            self.pause(again_s)
            return
        if not is_explained:
            self.complain([f"{question.name}: {how} although {', '.join(sorted(question.needs))} had no trouble"])
        self.pause(RETRY_S)

    def _go(self, what: "type[_Reader] | type[_Requester]") -> None:
        with self._customer.client() as http:
            client = what(self, http)
            while not self.is_over:
                client.go()
                self.pause(BETWEEN_S)


class _Reader:
    """Reads all of every session."""

    def __init__(self, looking: Onlooker, http: httpx.Client) -> None:
        self._looking, self._http, self._told = looking, http, Told()

    def go(self) -> None:
        for stream_id, session_id in self._looking.sessions().items():
            if not self._looking.is_over:
                self._look_at(stream_id, session_id)
        acknowledged = self._looking.all_sessions()
        listed = pages(partial(self._looking.ask, self._http, LIST), "/app_sessions")
        if listed is not None:
            self._looking.complain(self._told.listed(acknowledged, [item["id"] for item in listed]))

    def _look_at(self, stream_id: str, session_id: str) -> None:
        told, path = self._told, f"/app_sessions/{session_id}"
        order = self._looking.order(stream_id)
        if answer := self._looking.ask(self._http, SESSION, path):
            self._looking.complain(told.session(session_id, answer.json(), order.failures))
        if "visit" in stream_id:  # nothing is played there
            return
        for engine in order.engines:
            may_change = order.is_corrected and engine is Engine.ZOOM
            if answer := self._looking.ask(self._http, TRANSCRIPT, f"{path}/transcript?engine={engine}"):
                said = [certain(one, is_live=engine in order.live) for one in answer.json()]
                self._looking.complain(told.items(session_id, f"{engine} utterance", said, may_change=may_change))
        if (events := pages(partial(self._looking.ask, self._http, EVENTS), f"{path}/participant_events")) is not None:
            self._looking.complain(told.items(session_id, "participant event", events))
        if answer := self._looking.ask(self._http, MEDIA, f"{path}/media"):
            document = answer.json() if answer.status_code == OK else None
            self._looking.complain(told.media(session_id, document))
            if document is not None:
                self._download(document["url"])

    def _download(self, url: str) -> None:
        with httpx.Client(
            timeout=self._http.timeout, trust_env=False, verify=False
        ) as anybody:  # the link alone is the permission
            part = {"Range": f"bytes=0-{PART_BYTES - 1}"}
            answer = self._looking.ask(anybody, DOWNLOAD, url, headers=part)
            if answer is not None and len(answer.content) != PART_BYTES:
                self._looking.complain([f"download: {len(answer.content)} bytes instead of {PART_BYTES}"])


class _Requester:
    """Asks for sessions: again for those of the act, and for new ones, of which it ends some."""

    def __init__(self, looking: Onlooker, http: httpx.Client) -> None:
        self._looking, self._http, self._told = looking, http, Told()
        self._round = 0

    def go(self) -> None:
        number, turn = divmod(self._round, VISIT_EVERY)
        visit = self._looking.visit(number % MOST_VISITS)
        self._round += 1
        if turn == 0 and self._create(visit) and number % 3:
            self._end(visit)
        if sessions := list(self._looking.sessions()):
            self._create(sessions[self._round % len(sessions)])
        self._looking.pause(REQUEST_EVERY_S)

    def _create(self, stream_id: str) -> bool:
        order = self._looking.order(stream_id)
        answer = self._looking.ask(self._http, CREATE, "/app_sessions", json=order.body(stream_id))
        if answer is None:
            return False
        session_id = answer.json()["id"]
        self._looking.acknowledged(stream_id, session_id)
        self._looking.complain(self._told.session(session_id, answer.json(), order.failures))
        return True

    def _end(self, stream_id: str) -> None:
        if answer := self._looking.ask(self._http, END, "/app_sessions/end", json=ended(stream_id)):
            self._looking.complain(self._told.ended(answer.json()["id"], answer.json()))
