"""Where a session may be told to connect to. Whoever holds a key could otherwise make us call any host we can reach.

An address passes when its host is on the allow-list (`*.zoom.us` by default) and it is `wss://`. Without TLS only this
machine is reached, and only where it is on the list: that is where a simulated Zoom lives.
"""

from collections.abc import Collection

from api.shapes import Invalid, shown
from connectors.rtms.protocol.addresses import AddressPolicy

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def allowed(url: str, hosts: Collection[str]) -> str:
    """`url`, if a worker may connect to it.

    Raises:
        Invalid: it may not.
    """
    encrypted = AddressPolicy(tuple(hosts))
    local = AddressPolicy(tuple(LOOPBACK.intersection(hosts)), plaintext=True)
    if encrypted.permits(url) or local.permits(url):
        return url
    raise Invalid(f"{shown(url)} is not a wss:// address at one of the allowed hosts")
