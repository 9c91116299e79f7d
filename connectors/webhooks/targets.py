"""Which receivers may be called: https, and public addresses only, so that nobody can make us call our own house. Pure.

A name is judged when it is given, its addresses when they are connected to: a name can point elsewhere by then.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

MAX_URL_CHARACTERS = 2048

_EMBEDDING = IPv6Network("64:ff9b::/96")
"""Addresses that a gateway turns into the IPv4 address in them."""

_PUBLIC = IPv6Network("2000::/3")
"""All that is given out to anybody. The library calls more global: sites' own addresses (`fec0::/10`), and those in
which a network of one's own embeds IPv4 (`64:ff9b:1::/48`, `::/96`, `::ffff:0:0:0/96`)."""


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """`allow_loopback`: this machine too, and without TLS."""

    allow_loopback: bool = False

    def permits_url(self, url: str) -> bool:
        """Whether a receiver may be given by this address."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        schemes = ("https", "http") if self.allow_loopback else ("https",)
        plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL_CHARACTERS
        return plain and parts.scheme in schemes and bool(host) and parts.username is None

    def permits_address(self, address: str) -> bool:
        """Whether this IP address may be connected to."""
        try:
            meant = _meant(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if meant.is_loopback:
            return self.allow_loopback
        if isinstance(meant, IPv6Address) and meant not in _PUBLIC:
            return False
        return meant.is_global and not meant.is_multicast


PUBLIC = TargetPolicy()


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address within an IPv6 one, where packets would go to that."""
    if isinstance(address, IPv4Address):
        return address
    if address in _EMBEDDING:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
