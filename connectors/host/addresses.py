"""Addresses and files that an operator may set."""

from pathlib import Path
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


def existing_file(location: str) -> str:
    """The path of a file, or empty for none, as it was given.

    Raises:
        ValueError: there is no such file.
    """
    if location and not Path(location).is_file():
        raise ValueError("must be a file that exists")
    return location
