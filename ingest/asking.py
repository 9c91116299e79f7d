"""Asks the workers that had a session before to let it go, when Zoom refuses us because one of them has it still.

A courtesy: nobody waits for it, and whoever is dead, frozen or far away costs nothing but the next question.
"""

import asyncio
from functools import partial

from connectors.host.listening import JSON
from connectors.host.logs import get_logger
from connectors.host.posting import Poster
from connectors.host.secrets import KeyRing
from ingest import metrics
from ingest.telling import PATH, SIGNATURE, ToldClaim, written

log = get_logger(__name__)

LIMIT_S = 1.0
CONNECTIONS = 32


class Asking:
    """Use it within one event loop; close it there. `worker` asks, who is reached at `address` itself."""

    def __init__(self, ring: KeyRing, worker: str, address: str | None) -> None:
        self._ring, self._worker, self._address = ring, worker, address
        self._poster = Poster(LIMIT_S, CONNECTIONS)
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}

    def ask(self, session_id: str, epoch: int, addresses: tuple[str, ...]) -> None:
        """Ask each of the others, unless it is being asked."""
        claim = ToldClaim(session_id, self._worker, epoch)
        for address in addresses:
            key = session_id, address
            if address != self._address and key not in self._asking:
                task = self._asking[key] = asyncio.create_task(self._ask(claim, address))
                task.add_done_callback(partial(self._asked, key))

    async def close(self) -> None:
        for task in list(self._asking.values()):
            task.cancel()
        await self._poster.close()

    def _asked(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._asking[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("asking another worker failed", exc_info=error)

    async def _ask(self, claim: ToldClaim, address: str) -> None:
        body, signature = written(claim, self._ring)
        result = await self._poster.post(address, PATH, body, {SIGNATURE: signature, "Content-Type": JSON})
        metrics.ASKED.labels(result).inc()
        log.info(
            "asked to let a session go", session_id=claim.session_id, epoch=claim.epoch, address=address, result=result
        )
