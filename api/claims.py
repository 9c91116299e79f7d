"""Every project's claims on live sessions, as this replica has read them from the log, and verdicts for those who wait.

Nothing is ever refused from what is known here before one's own record was read: in the log another order may hold.
"""

import threading
from concurrent.futures import Future

from schemas.claims import Decision, ProjectClaims
from schemas.records import Claim, Record


class Claims:
    """Written by the view's thread; handlers wait for their own records' decisions."""

    def __init__(self) -> None:
        self._projects: dict[str, ProjectClaims] = {}
        self._lock = threading.Lock()
        self._waiting: dict[str, Future[Decision]] = {}

    def apply(self, claim: Record, offset: int, at_ms: int) -> None:
        """Take the record at `offset`, appended at `at_ms`."""
        assert isinstance(claim, Claim)
        decision = self._projects.setdefault(claim.project_id, ProjectClaims()).apply(claim, offset, at_ms)
        with self._lock:
            future = self._waiting.pop(claim.request_id, None)
        if decision is not None and future is not None and future.set_running_or_notify_cancel():
            future.set_result(decision)

    def holds(self, project_id: str, session_id: str) -> bool:
        """Whether the session has a claim: it was requested, or is about to be, and nobody has found it over since."""
        project = self._projects.get(project_id)
        return project is not None and project.holds(session_id)

    def expect(self, request_id: str) -> "Future[Decision]":
        """What will be decided about the claim that is about to be written under `request_id`."""
        future: Future[Decision] = Future()
        with self._lock:
            self._waiting[request_id] = future
        return future

    def forget(self, request_id: str) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            self._waiting.pop(request_id, None)
