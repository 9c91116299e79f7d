"""What time it is at Zoom, told from the stamps on what arrives; local time is only used between two stamps.

A stamp proves that Zoom's clock had reached it, so `now` is a lower bound, off by the fastest delivery seen.
Keep-alives are Zoom's word on the time; frames may be old (buffered audio), so they only ever move the estimate
forward. The best evidence is kept for one to two minutes: long enough to bridge keep-alives, short enough for clocks
that drift.
"""

_BUCKET_MS = 60_000
_FAR_MS = 60_000
"""A keep-alive that lies this far behind the estimate replaces it: the estimate was wrong."""

_EARLIEST_MS = 946_684_800_000
_LATEST_MS = 4_102_444_800_000
"""2000 to 2100: outside of that no clock is merely wrong, and believing the first stamp would condemn all others."""

_MAX_AHEAD_MS = 10_000
_MAX_AHEAD_UNSURE_MS = 300_000
_MAX_BEHIND_MS = 900_000


def is_possible(stamp_ms: int) -> bool:
    """Whether a clock could show this at all."""
    return _EARLIEST_MS <= stamp_ms < _LATEST_MS


class ZoomTime:
    """One per connection: after a reconnection another server's clock may answer."""

    __slots__ = ("_bucket_ends_ms", "_newer", "_older", "_offset", "_sure")

    def __init__(self) -> None:
        self._offset: int | None = None
        self._older: int | None = None
        self._newer: int | None = None
        self._bucket_ends_ms = 0
        self._sure = False

    def told(self, stamp_ms: int, now_ms: int) -> bool:
        """A keep-alive carried this stamp, which is possible; whether what was known before was wrong."""
        offset = stamp_ms - now_ms
        was_wrong = self._offset is not None and self._offset - offset > _FAR_MS
        if was_wrong:
            self._offset = self._older = self._newer = None
        self._sure = True
        self.seen(stamp_ms, now_ms)
        return was_wrong

    def seen(self, stamp_ms: int, now_ms: int) -> None:
        """Something stamped by Zoom arrived."""
        offset = stamp_ms - now_ms
        if now_ms >= self._bucket_ends_ms:
            self._turn(now_ms)
        if self._newer is None or offset > self._newer:
            self._newer = offset
        if self._offset is None or offset > self._offset:
            self._offset = offset

    def _turn(self, now_ms: int) -> None:
        """Start a new bucket and forget the one before the last; an empty one is no reason to forget."""
        self._bucket_ends_ms = now_ms + _BUCKET_MS
        if self._newer is not None:
            self._older, self._newer = self._newer, None
            self._offset = self._older

    def now(self, now_ms: int) -> int | None:
        """Zoom's time is at least this; None before the first stamp."""
        return None if self._offset is None else now_ms + self._offset

    def is_plausible(self, stamp_ms: int, now_ms: int) -> bool:
        """False for a stamp that no delay and no buffer explains; it would throw every reader's clock off."""
        if not is_possible(stamp_ms):
            return False
        if self._offset is None:
            return True
        ahead_ms = stamp_ms - now_ms - self._offset
        return -_MAX_BEHIND_MS <= ahead_ms <= (_MAX_AHEAD_MS if self._sure else _MAX_AHEAD_UNSURE_MS)
