"""Which addresses a worker may be sent to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app_sessions.server_urls import allowed
from api.shapes import Invalid
from connectors.rtms.protocol.addresses import AddressPolicy

ZOOM = AddressPolicy(("*.zoom.us",))
LISTED = AddressPolicy(("127.0.0.1",))
LOCAL = AddressPolicy(("*.zoom.us", "127.0.0.1", "localhost", "::1"), plaintext=True)


@pytest.mark.parametrize("url", ["wss://rtms-sjc1.zoom.us", "wss://A.b.ZOOM.us:443/x?y=1", "WSS://a.zoom.us"])
def test_zoom(url):
    assert allowed(url, ZOOM) == url


@pytest.mark.parametrize("url", ["ws://127.0.0.1:8000", "wss://localhost:1", "ws://[::1]:80/a"])
def test_this_machine_where_it_is_listed(url):
    assert allowed(url, LOCAL) == url
    with pytest.raises(Invalid):
        allowed(url, ZOOM)


def test_being_listed_does_not_do_without_tls():
    assert allowed("wss://127.0.0.1:1", LISTED)
    with pytest.raises(Invalid):
        allowed("ws://127.0.0.1:1", LISTED)


@pytest.mark.parametrize(
    "url",
    [
        "ws://a.zoom.us",  # no TLS
        "https://a.zoom.us",
        "wss://zoom.us",  # the pattern wants a name before it
        "wss://evilzoom.us",
        "wss://a.zoom.us.evil.com",
        "wss://evil.com/a.zoom.us",
        "wss://evil.com#.zoom.us",
        "wss://evil.com?.zoom.us",
        "wss://a.zoom.us@evil.com",
        "wss://user:pw@a.zoom.us",
        "wss://evil.com\\.zoom.us",
        "wss://evil.com\\@a.zoom.us",
        "wss://a.zoom.us\r\nX: y",
        "wss://a.zoom.us\t",
        "wss://ⓐ.zoom.us",
        "wss://a。zoom.us",
        "wss://169.254.169.254/latest",
        "wss://127.1",
        "wss://2130706433",
        "wss://a.zoom.us.",
        "wss://.zoom.us",
        "wss://a.zoom.us:99999",
        "wss://a.zoom.us:x",
        "wss://[::1",
        "wss://",
        "",
        "a.zoom.us",
        "file:///etc/passwd",
    ],
)
def test_everything_else_is_refused(url):
    with pytest.raises(Invalid):
        allowed(url, ZOOM)


@given(st.text(max_size=60))
def test_no_text_crashes(text):
    for url in (text, f"wss://{text}", f"wss://{text}.zoom.us"):
        try:
            allowed(url, LOCAL)
        except Invalid:
            pass
