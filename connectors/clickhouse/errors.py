"""What can go wrong with ClickHouse, in our words.

ClickHouse's own texts quote the values they choke on, which are people's names and words here. So an error carries the
code and its symbolic name, never the text.

::

    ClickHouseError       .retryable, .code (0 when the server never answered), .name
    ├── Unavailable       not reached, overloaded, read-only for now: the same call may succeed later
    └── Rejected          it will not succeed, however often
"""

from clickhouse_connect.driver.exceptions import ClickHouseError as LibraryError
from clickhouse_connect.driver.exceptions import OperationalError, StreamFailureError

TOO_LONG = 159
"""The code of a query that took longer than its `max_execution_time`."""

# TIMEOUT_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR, ABORTED, MEMORY_LIMIT_EXCEEDED,
# TABLE_IS_READ_ONLY, TOO_MANY_PARTS, ALL_CONNECTION_TRIES_FAILED, UNKNOWN_STATUS_OF_INSERT, KEEPER_EXCEPTION
_PASSING = frozenset({TOO_LONG, 202, 209, 210, 236, 241, 242, 252, 279, 319, 999})


class ClickHouseError(Exception):
    """Any failure of ClickHouse."""

    retryable = False

    def __init__(self, message: str, *, code: int = 0, name: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.name = name


class Unavailable(ClickHouseError):
    """Not now."""

    retryable = True


class Rejected(ClickHouseError):
    """Never."""


def translate(error: LibraryError) -> ClickHouseError:
    """Our error for the library's."""
    code = getattr(error, "code", None) or 0
    name = getattr(error, "name", None) or ""
    if code in _PASSING:
        return Unavailable(f"ClickHouse cannot now: {name or code}", code=code, name=name)
    if not code and isinstance(error, OperationalError | StreamFailureError):
        return Unavailable("ClickHouse was not reached")
    return Rejected(f"ClickHouse refused: {name or code or type(error).__name__}", code=code, name=name)
