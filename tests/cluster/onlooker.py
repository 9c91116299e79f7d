"""Asks the API all the time, as a customer's browser would: an upgrade may not be noticed there."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Self

import httpx

_PAUSE_S = 0.1


class Onlooker:
    """Use it with `with`: asks for one path until it is left; `answers` counts by status, or by kind of failure."""

    def __init__(self, http_url: str) -> None:
        self._url = http_url
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="onlooker", daemon=True)
        self.answers: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE_S):
            try:
                # A new connection each time, or one kept-alive connection would hide what new ones meet.
                answer = httpx.get(self._url, timeout=20, trust_env=False)
                self.answers[str(answer.status_code)] += 1
            except httpx.HTTPError as problem:
                self.answers[type(problem).__name__] += 1
