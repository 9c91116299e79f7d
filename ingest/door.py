"""Where a worker hears of a claim past Kafka: from whoever claimed a session and is refused by Zoom because of us.

Called in a thread of the probes' server; what follows from it happens in the event loop, as when the log says it.
"""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from connectors.host.listening import JSON, Answer, Headers, refusal
from connectors.host.logs import get_logger
from connectors.host.secrets import KeyRing
from ingest import metrics
from ingest.ownership import Reply
from ingest.telling import SIGNATURE, STATUS, NotTold, ToldClaim, read

log = get_logger(__name__)

ANSWER_S = 0.8
"""For the event loop; less than who asks waits."""

OnClaim = Callable[[str, str, int], Reply]
"""Called in the event loop with the session, the worker that claims it and the epoch."""


class Door:
    """To be made in the event loop; `answer` is a `connectors.host.listening.Post`."""

    def __init__(self, ring: KeyRing, on_claim: OnClaim) -> None:
        self._ring, self._on_claim = ring, on_claim
        self._loop = asyncio.get_running_loop()

    def answer(self, headers: Headers, body: bytes) -> Answer:
        try:
            claim = read(body, headers.get(SIGNATURE, ""), self._ring)
            answer = self._told(claim)
        except NotTold as error:
            metrics.TOLD.labels(str(error.status)).inc()
            return refusal(error.status, str(error))
        said = answer.name.lower()
        metrics.TOLD.labels(str(STATUS[answer])).inc()
        log.info("told of a claim", session_id=claim.session_id, worker=claim.worker, epoch=claim.epoch, reply=said)
        return Answer(STATUS[answer], JSON, json.dumps({"reply": said}).encode())

    def _told(self, claim: ToldClaim) -> Reply:
        """Once it is in the loop's hands it happens, though perhaps too late to be told."""
        done: Future[Reply] = Future()

        def tell() -> None:
            done.set_result(self._on_claim(claim.session_id, claim.worker, claim.epoch))

        try:
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:
            raise NotTold(503, "the worker has ended") from None
        try:
            return done.result(ANSWER_S)
        except FutureTimeoutError:
            raise NotTold(503, "no answer in time") from None
