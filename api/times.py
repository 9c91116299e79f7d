"""Times as clients send them: any ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

from api.errors import refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOST_PLUS = re.compile(r"(?<=\d) (\d\d:?\d\d)$")


def unix_ms(text: str) -> int:
    """The Unix milliseconds of an ISO 8601 time; without an offset it is UTC.

    A `+` that nobody percent-encoded arrives as a space and is taken for what it was.

    Raises:
        ValueError: `text` is no such time.
    """
    try:
        moment = datetime.fromisoformat(text if "T" not in text else _LOST_PLUS.sub(r"+\1", text))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError:
        raise ValueError(f"{text} is out of range") from None


def queried_ms(name: str, text: str) -> int:
    """The Unix milliseconds of a query parameter. Raises ApiError 400."""
    try:
        return unix_ms(text)
    except ValueError:
        raise refused(f"Invalid {name} format. Use ISO 8601, e.g. 2025-01-13T10:30:00Z") from None
