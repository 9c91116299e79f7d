"""Addresses that an operator may set."""

from urllib.parse import urlsplit


def http_address(url: str, example: str, account: str) -> str:
    """The address of an HTTP service, as it was given. `account` says where a name and password belong instead.

    Raises:
        ValueError: it is no such address, or it holds credentials. The text does not repeat it.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"must be an address like {example}")
    if parts.username or parts.password:
        raise ValueError(f"must name nobody: {account} do")
    return url
