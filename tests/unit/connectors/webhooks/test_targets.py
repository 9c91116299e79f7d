"""Where webhooks may go."""

import pytest

from connectors.webhooks.targets import PUBLIC, TargetPolicy

LOCAL = TargetPolicy(allow_loopback=True)


@pytest.mark.parametrize("url", ["https://example.com/a", "https://example.com:8443/a?b=c", "https://[2001:db8::1]/"])
def test_https_is_fine(url):
    assert PUBLIC.permits_url(url)
    assert LOCAL.permits_url(url)


@pytest.mark.parametrize(
    "url",
    ["", "x", "https://", "ftp://example.com", "https://user:pw@example.com", "https://example.com/ü",
     "https://exa mple.com", "https://example.com:99999/", "https://[::1", "https://e.com/" + "a" * 3000, "//e.com"],
)  # fmt: skip
def test_what_is_no_address_of_a_receiver(url):
    assert not PUBLIC.permits_url(url)
    assert not LOCAL.permits_url(url)


def test_plain_http_only_by_the_switch():
    assert not PUBLIC.permits_url("http://localhost:5005/hook")
    assert LOCAL.permits_url("http://localhost:5005/hook")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address):
    assert PUBLIC.permits_address(address)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "fc00::1",
     "fe80::1%eth0", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "::", "ff02::1",
     "255.255.255.255", "fec0::1", "64:ff9b:1::a00:1", "64:ff9b:1::a9fe:a9fe", "::a00:1", "::ffff:0:a00:1", "4000::1",
     "x", ""],
)  # fmt: skip
def test_addresses_of_our_own_house_are_never_called(address):
    assert not PUBLIC.permits_address(address)
    assert not LOCAL.permits_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_only_by_the_switch(address):
    assert not PUBLIC.permits_address(address)
    assert LOCAL.permits_address(address)
