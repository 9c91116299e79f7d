"""Whose camera to ask for where Zoom sends one individual's: who has it on for longest, until it goes off.

Zoom sends nothing before somebody is asked for, and one participant at a time. After a reconnection nobody says whose
camera went off meanwhile: one known from before comes after those that Zoom has told of since, and is off when it was
asked for and sends nothing.
"""

from connectors.rtms.protocol.codes import Status
from connectors.rtms.protocol.ticks import NEVER_MS

MAX_CAMERAS = 1000
"""So many are remembered as being on; only one at a time is watched."""

SILENT_MS = 10_000
"""How long a camera known from before a reconnection may send nothing until it is taken for off."""

AGAIN_MS = 15_000
"""When somebody is asked for again whom Zoom could not give for a reason of its own that may pass."""

_GRANTED = frozenset({Status.OK, Status.DUPLICATE_VIDEO_SUBSCRIPTION})


class Watching:
    """Which cameras are on, and which one is watched; `pick` says when another one has to be asked for.

    `due_ms` is when to pick again, if nothing happens before.
    """

    __slots__ = ("_asked_ms", "_cameras", "_refused", "_unsure", "due_ms", "watched")

    def __init__(self) -> None:
        self.watched: int | None = None
        self.due_ms = NEVER_MS
        self._asked_ms = 0
        self._cameras: dict[int, None] = {}
        self._refused: dict[int, int] = {}
        self._unsure: set[int] = set()

    def turned(self, user_id: int, *, on: bool) -> None:
        """A camera went on or off; it is off as well when its owner leaves."""
        self._refused.pop(user_id, None)
        self._unsure.discard(user_id)
        if on:
            if len(self._cameras) < MAX_CAMERAS:
                self._cameras.setdefault(user_id)
            return
        self._cameras.pop(user_id, None)
        self._forget(user_id)

    def answered(self, user_id: int, code: int, now_ms: int) -> None:
        """Zoom answered a request (message 29); whom it refuses is passed over until the camera turns.

        Where it failed by itself (45) it is asked again a little later. `user_id` 0: it did not say whose, so it means
        the one that was asked for last.
        """
        who = user_id or self.watched
        if code not in _GRANTED and who in self._cameras:
            self._refused[who] = now_ms + AGAIN_MS if code == Status.INTERNAL_EXCEPTION else NEVER_MS
            self._forget(who)

    def restart(self) -> None:
        """The sockets are new: nobody is watched, what was refused may be granted, what was on may be off."""
        self.watched = None
        self._refused.clear()
        self._unsure = set(self._cameras)

    def pick(self, now_ms: int, heard_ms: int | None) -> int | None:
        """Whom to ask for now, None if nothing has to change.

        `heard_ms` is when the newest picture came; None while there is no socket for it.
        """
        if self.watched is not None and self._is_silent(self.watched, now_ms, heard_ms):
            self.turned(self.watched, on=False)
        if self.watched is not None:
            if now_ms >= self.due_ms:
                self.due_ms = NEVER_MS
            return None
        free = [user_id for user_id in self._cameras if self._refused.get(user_id, 0) <= now_ms]
        self.watched = min(free, key=self._unsure.__contains__, default=None)  # of equals the first
        if self.watched is None:
            self.due_ms = min(self._refused.values(), default=NEVER_MS)
        else:
            self._asked_ms = now_ms
            self.due_ms = now_ms + SILENT_MS if self.watched in self._unsure else NEVER_MS
        return self.watched

    def _is_silent(self, user_id: int, now_ms: int, heard_ms: int | None) -> bool:
        if heard_ms is None or user_id not in self._unsure or now_ms < self._asked_ms + SILENT_MS:
            return False
        self._unsure.discard(user_id)
        return heard_ms <= self._asked_ms

    def _forget(self, user_id: int) -> None:
        if self.watched == user_id:
            self.watched = None
