"""One key at one speech service: what it allows is for all who ask with it, and what it suffers is nobody else's.

Utterances that wait for projects' keys in trouble may together hold so many places; of more, those go that
have waited longest, for good. So no project's dead key takes the places that the others need. A key is in trouble when
it has only failed for some time: a backlog with one failure in it is not.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from connectors.speech.exchange import Failure, Service
from processors.transcription import metrics
from schemas.settings import Engine
from schemas.transcription_codes import Reason

TROUBLE_S = 30.0

NOTHING_HEARD = Failure(Reason.TIMED_OUT, is_final=False)


class Account:
    """`service` is asked with this key, `slots` are its places; until `paused_until_s` it wants to be left alone, as
    `paused` said. `failure` is what the last attempt failed with, None after one that did not. `yielding` counts
    who asks beside the meetings."""

    def __init__(self, service: Service, in_flight: int, *, is_a_projects: bool) -> None:
        self.service, self.is_a_projects = service, is_a_projects
        self.slots = asyncio.Semaphore(in_flight)
        self.paused = NOTHING_HEARD
        self.paused_until_s = 0.0
        self.failure: Failure | None = None
        self._failing_since_s = 0.0
        self.asking: dict[asyncio.Timeout, None] = {}
        self.yielding = 0

    def noted(self, failure: Failure | None, now_s: float) -> None:
        """What came of an attempt."""
        if self.failure is None:
            self._failing_since_s = now_s
        self.failure = failure
        if failure is not None and failure.retry_after_s and now_s + failure.retry_after_s > self.paused_until_s:
            self.paused, self.paused_until_s = failure, now_s + failure.retry_after_s

    def is_in_trouble(self, now_s: float) -> bool:
        """Whether it has only failed, and not just now."""
        return self.failure is not None and now_s - self._failing_since_s >= TROUBLE_S

    def is_idle(self, now_s: float) -> bool:
        """Whether nobody would miss it."""
        return not self.asking and not self.yielding and self.paused_until_s <= now_s


class Accounts:
    """All of this process. `in_flight` is for each, `most` for what waits for projects' in trouble."""

    def __init__(self, in_flight: int, most: int) -> None:
        self._in_flight, self._most = in_flight, most
        self._accounts: dict[tuple[Engine, str | None], Account] = {}

    def of(self, engine: Engine, service: Service, key: str | None) -> Account:
        """The account of a project's key, or of the operator's (None)."""
        if (engine, key) not in self._accounts:
            self._forget_idle()
            asked = service if key is None else service.keyed(key)
            self._accounts[engine, key] = Account(asked, self._in_flight, is_a_projects=key is not None)
        return self._accounts[engine, key]

    @asynccontextmanager
    async def held(self, account: Account) -> AsyncIterator[None]:
        """While somebody asks. Raises TimeoutError in whoever has to go, so that others find room."""
        async with asyncio.timeout(None) as patience:
            account.asking[patience] = None
            self._make_room()
            try:
                yield
            finally:
                account.asking.pop(patience, None)

    def place(self, account: Account) -> AbstractAsyncContextManager[None]:
        """One of the key's places."""
        return account.slots

    def noted(self, account: Account, failure: Failure | None) -> None:
        """What came of an attempt."""
        account.noted(failure, asyncio.get_running_loop().time())
        self._make_room()

    def _make_room(self) -> None:
        now_s = asyncio.get_running_loop().time()
        troubled = [one for one in self._accounts.values() if one.is_a_projects and one.is_in_trouble(now_s)]
        for _ in range(sum(len(one.asking) for one in troubled) - self._most):
            worst = max(troubled, key=lambda one: len(one.asking))
            longest = next(iter(worst.asking))
            del worst.asking[longest]
            longest.reschedule(now_s)
            metrics.CROWDED_OUT.inc()

    def _forget_idle(self) -> None:
        """A key that was changed must not be kept for ever."""
        now_s = asyncio.get_running_loop().time()
        for at in [at for at, one in self._accounts.items() if one.is_idle(now_s)]:
            del self._accounts[at]
