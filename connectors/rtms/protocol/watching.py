"""Whose camera to ask for where Zoom sends one individual's: who has it on for longest, until it goes off.

Zoom sends nothing before somebody is asked for, and one participant at a time.
"""

from connectors.rtms.protocol.codes import Status

MAX_CAMERAS = 1000
"""So many are remembered as being on; only one at a time is watched."""

_GRANTED = frozenset({Status.OK, Status.DUPLICATE_VIDEO_SUBSCRIPTION})


class Watching:
    """Which cameras are on, and which one is watched; `pick` says when another one has to be asked for."""

    __slots__ = ("_cameras", "_refused", "watched")

    def __init__(self) -> None:
        self.watched: int | None = None
        self._cameras: dict[int, None] = {}
        self._refused: set[int] = set()

    def turned(self, user_id: int, *, on: bool) -> None:
        """A camera went on or off; it is off as well when its owner leaves."""
        self._refused.discard(user_id)
        if on:
            if len(self._cameras) < MAX_CAMERAS:
                self._cameras.setdefault(user_id)
            return
        self._cameras.pop(user_id, None)
        self._forget(user_id)

    def answered(self, user_id: int, code: int) -> None:
        """Zoom answered a request (message 29); whom it refuses is not asked for again until the camera turns.

        `user_id` 0: it did not say whose, so it means the one that was asked for last.
        """
        who = user_id or self.watched
        if code not in _GRANTED and who in self._cameras:
            self._refused.add(who)
            self._forget(who)

    def restart(self) -> None:
        """The sockets are new: nobody is watched, and what was refused may be granted."""
        self.watched = None
        self._refused.clear()

    def pick(self) -> int | None:
        """Whom to ask for now, None if nothing has to change."""
        if self.watched is not None:
            return None
        self.watched = next((user_id for user_id in self._cameras if user_id not in self._refused), None)
        return self.watched

    def _forget(self, user_id: int) -> None:
        if self.watched == user_id:
            self.watched = None
