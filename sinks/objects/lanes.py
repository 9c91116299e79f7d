"""One partition's records under way, in order, and how far that is done.

Pure book-keeping: writing may finish in any order, but an offset is committed only when everything before it is done,
and a recording is finished only when everything before its end is stored.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Job:
    """One record. `is_end` (known once it is decoded) asks for the recording to be finished."""

    offset: int
    size_bytes: int
    is_end: bool = False
    is_started: bool = False
    is_done: bool = False


@dataclass(slots=True)
class Lane:
    """The jobs of one partition."""

    held_limit_bytes: int
    is_paused: bool = False
    held_bytes: int = 0
    _jobs: deque[Job] = field(default_factory=deque)

    def add(self, job: Job) -> Job:
        self._jobs.append(job)
        self.held_bytes += job.size_bytes
        return job

    def done(self, job: Job) -> None:
        job.is_done = True
        self.held_bytes -= job.size_bytes

    def startable_end(self) -> Job | None:
        """The end that waits for nothing before it any more; marked as started."""
        for job in self._jobs:
            if job.is_done:
                continue
            if not job.is_end or job.is_started:
                return None
            job.is_started = True
            return job
        return None

    def settle(self) -> int | None:
        """Forget what is done without a gap; the offset to commit, None if there is nothing new."""
        offset = None
        while self._jobs and self._jobs[0].is_done:
            offset = self._jobs.popleft().offset + 1
        return offset

    @property
    def should_pause(self) -> bool:
        """Too much is held, or a recording is being finished. Once paused, until half of it is gone."""
        limit = self.held_limit_bytes // 2 if self.is_paused else self.held_limit_bytes
        return self.held_bytes > limit or any(job.is_end for job in self._jobs)
