"""Where a session may be told to connect to. Whoever holds a key could otherwise make us call any host we can reach.

The policy is the one that the workers connect by: an address that passes here is not refused later, and none is
dialled that was not judged here.
"""

from api.shapes import Invalid, shown
from connectors.rtms.protocol.addresses import AddressPolicy


def allowed(url: str, addresses: AddressPolicy) -> str:
    """`url`, if a worker may connect to it.

    Raises:
        Invalid: it may not.
    """
    if addresses.permits(url):
        return url
    raise Invalid(f"{shown(url)} is not a wss:// address at one of the allowed hosts")
