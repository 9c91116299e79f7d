"""Where a stream may connect to."""

import pytest

from connectors.rtms.protocol.addresses import AddressPolicy

ZOOM = AddressPolicy()
LOCAL = AddressPolicy(("*.zoom.us", "127.0.0.1", "localhost", "::1"), plaintext=True)


@pytest.mark.parametrize(
    "url",
    [
        "wss://rtms-sjc1.zoom.us/signaling?x=1",
        "wss://RTMS.Zoom.US:443/a",
        "wss://a.b.zoom.us",
    ],
)
def test_zooms_own_hosts_are_permitted(url: str) -> None:
    assert ZOOM.permits(url)


@pytest.mark.parametrize(
    "url",
    [
        "ws://rtms.zoom.us",
        "https://rtms.zoom.us",
        "wss://zoom.us",
        "wss://.zoom.us",
        "wss://evilzoom.us",
        "wss://rtms.zoom.us.evil.com",
        "wss://rtms.zoom.us@evil.com/",
        "wss://evil.com\\.zoom.us/",
        "wss://evil.com#.zoom.us",
        "wss://evil.com/.zoom.us",
        "wss://user:pw@rtms.zoom.us",
        "wss://rtms.zoom.us:99999",
        "wss://[::1",
        "wss://",
        "wss:///path",
        "wss://rtms.zoom.us /",
        "wss://rtms.zoom.us\n",
        "wss://rtms.zоom.us",
        "wss://127.0.0.1",
        "",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not ZOOM.permits(url)


def test_a_local_policy_permits_loopback_without_tls() -> None:
    for url in ("ws://127.0.0.1:9000/x", "wss://localhost", "ws://[::1]:80", "wss://rtms.zoom.us"):
        assert LOCAL.permits(url)
    assert not LOCAL.permits("ws://10.0.0.1")
    assert LOCAL.permitted(("ws://10.0.0.1", "ws://127.0.0.1", "nonsense")) == ("ws://127.0.0.1",)
