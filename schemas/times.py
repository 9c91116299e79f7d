"""Times as clients see them: ISO 8601 with microseconds."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MS = 253_402_300_799_999  # the last millisecond of the year 9999


def iso_utc(unix_ms: int) -> str:
    """`1700000000123` → `2023-11-14T22:13:20.123000Z`: in answers."""
    return iso_offset(unix_ms).removesuffix("+00:00") + "Z"


def iso_offset(unix_ms: int) -> str:
    """`1700000000123` → `2023-11-14T22:13:20.123000+00:00`: in webhooks."""
    moment = _EPOCH + timedelta(milliseconds=min(max(unix_ms, 0), _MAX_MS))
    return moment.isoformat(timespec="microseconds")
