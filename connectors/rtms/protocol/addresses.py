"""Which addresses a stream may connect to: they come from outside, and an answer to them carries a signature.

A pattern is a host name, or `*.` and a domain for all names below it. Ports, paths and queries are free.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Hosts that `server_urls` may name. `plaintext` also allows `ws://`, for simulators on this machine."""

    hosts: tuple[str, ...] = ("*.zoom.us",)
    plaintext: bool = False

    def permits(self, url: str) -> bool:
        """Whether a socket to `url` may be opened."""
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            return False
        try:
            parts = urlsplit(url)
            host, _port = parts.hostname, parts.port
        except ValueError:
            return False
        if parts.scheme not in ("wss", "ws") or (parts.scheme == "ws" and not self.plaintext):
            return False
        if not host or parts.username is not None or parts.password is not None:
            return False
        return any(_matches(host, pattern.lower()) for pattern in self.hosts)

    def permitted(self, urls: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `urls` that may be opened, in their order."""
        return tuple(url for url in urls if self.permits(url))


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
