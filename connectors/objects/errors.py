"""What can go wrong with objects, in our words.

::

    ObjectsError         .retryable
    ├── NotFound         no object of this key (or no bucket)
    ├── Denied           credentials are missing, wrong or too weak
    ├── BadKey           no key that we would ever write
    └── Unavailable      not reached, overloaded, disk full: the same call may succeed later
"""

from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)


class ObjectsError(Exception):
    """Any failure of object storage."""

    retryable = False


class NotFound(ObjectsError):
    """No such object."""


class Denied(ObjectsError):
    """The storage does not let us."""


class BadKey(ObjectsError):
    """The key could lead out of the folder, or is none of ours."""


class Unavailable(ObjectsError):
    """Not now."""

    retryable = True


def translate(error: BaseError | OSError, key: str) -> ObjectsError:
    """Our error for the library's. Its text holds whole server answers, so only the kind is taken over."""
    if isinstance(error, NotFoundError | FileNotFoundError):
        return NotFound(f"no object {key}")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
        return Denied(f"not allowed to touch {key}")
    if isinstance(error, InvalidPathError):
        return BadKey(f"not a key: {key!r}")
    return Unavailable(f"object storage cannot serve {key} now ({type(error).__name__})")
