"""API keys and the admin token: what a header says, and whether it is right. Pure."""

import hashlib
import hmac
from enum import StrEnum

from api.errors import ApiError, unauthenticated

SCHEME = "token"


class Scope(StrEnum):
    """What a key may: look, act on sessions, change what the project's webhooks are."""

    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


def scope_of_method(method: str) -> Scope:
    """What a request needs."""
    return Scope.READ if method in ("GET", "HEAD") else Scope.WRITE


def presented(header: str | None) -> str:
    """The key in an `Authorization: Token <key>` header.

    Raises:
        ApiError: 401, as another scheme counts as none.
    """
    parts = (header or "").split()
    if not parts or parts[0].lower() != SCHEME:
        raise unauthenticated("Authentication credentials were not provided.")
    if len(parts) == 1:
        raise unauthenticated("Invalid token header. No credentials provided.")
    if len(parts) > 2:
        raise unauthenticated("Invalid token header. Token string should not contain spaces.")
    return parts[1]


def digest(key: str) -> str:
    """What is kept of a key. Keys are 32 random characters, so a plain hash is enough."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def check_admin(token: str, expected: str) -> None:
    """Compare in constant time.

    Raises:
        ApiError: 401, also when no admin token is configured.
    """
    if not (expected and hmac.compare_digest(digest(token), digest(expected))):
        raise unauthenticated("Invalid admin token.")


def unknown_key() -> ApiError:
    """A key that opens nothing."""
    return unauthenticated("Invalid or disabled API key.")
