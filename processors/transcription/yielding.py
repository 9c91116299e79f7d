"""Places at speech services for questions that can wait: they step back from those of meetings with the same key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.speech.exchange import Failure, Service
from processors.transcription.accounts import Account, Accounts
from schemas.settings import Engine

STEP_BACK_S = 60.0
"""For so long; then it waits in the line, or it would never be asked where meetings never leave a place."""

LOOK_S = 0.25


class Yielding:
    """See `Accounts`, whose accounts these are. None of a meeting's utterances has to go because of these questions,
    nor they for one."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def of(self, engine: Engine, service: Service, key: str | None) -> Account:
        return self._accounts.of(engine, service, key)

    @asynccontextmanager
    async def held(self, account: Account) -> AsyncIterator[None]:
        account.yielding += 1
        try:
            yield
        finally:
            account.yielding -= 1

    @asynccontextmanager
    async def place(self, account: Account) -> AsyncIterator[None]:
        """One of the key's places, when no meeting wants it and the service no pause."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + STEP_BACK_S
        while _is_wanted(account, loop.time()) and loop.time() < until_s:  # noqa: ASYNC110  no place says that it is free
            await asyncio.sleep(LOOK_S)
        async with account.slots:
            yield

    def noted(self, account: Account, failure: Failure | None) -> None:
        self._accounts.noted(account, failure)


def _is_wanted(account: Account, now_s: float) -> bool:
    """By a meeting, all of whose places are taken, or by the service, which wants to be left alone."""
    return account.slots.locked() or account.paused_until_s > now_s
