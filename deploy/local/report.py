"""What a supervisor tells about its processes while they come, crash and go."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Event(StrEnum):
    """What happened to a process or a job."""

    STARTING = "starting"
    READY = "ready"
    CRASHED = "crashed"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Report(Protocol):
    """Told from several threads."""

    def tell(self, event: Event, name: str, detail: str = "") -> None:
        """Something happened to the named process; the detail is for people."""


class Silence:
    """Tells nobody."""

    def tell(self, event: Event, name: str, detail: str = "") -> None:
        """Nothing."""
