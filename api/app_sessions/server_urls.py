"""Where a session may be told to connect to. Whoever holds a key could otherwise make us call any host we can reach.

An address passes when its host is on the allow-list (`*.zoom.us` by default), it is `wss://`, and it holds nothing but
scheme, host, port, path and query. Without TLS only this machine is reached, and only if it is on the list.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from api.shapes import Invalid, shown

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_PRINTABLE = re.compile(r"[!-~]+")


def allowed(url: str, hosts: Collection[str]) -> str:
    """`url`, if a worker may connect to it.

    Raises:
        Invalid: it may not.
    """
    host = _host(url)
    if not any(_matches(host, pattern.lower()) for pattern in hosts):
        raise Invalid(f"{shown(url)} is not an address of Zoom: its host is not in the list of allowed hosts")
    if url[:6].lower() != "wss://" and host not in LOOPBACK:
        raise Invalid(f"{shown(url)} is not a wss:// address")
    return url


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        raise Invalid(f"{shown(url)} is not an address") from None
    usable = _PRINTABLE.fullmatch(url) and "\\" not in url and "@" not in parts.netloc and port_is_right
    if not (usable and parts.hostname and parts.scheme in ("wss", "ws")):
        raise Invalid(f"{shown(url)} is not a wss:// address")
    return parts.hostname.lower()


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
