"""Facts in attributes, texts without payloads."""

from connectors.rtms.protocol.errors import Refused, RemoteError, Unusable


def test_a_refusal_names_its_status() -> None:
    assert str(Refused(3)) == "Zoom refused with status 3 INVALID_SIGNATURE"
    assert str(Refused(77, "no")) == "Zoom refused with status 77 UNKNOWN_77: no"
    assert (Refused(3, "x").code, Refused(3, "x").reason) == (3, "x")


def test_a_broken_protocol_says_where() -> None:
    assert str(RemoteError("no_media_urls", "greeting", 2)) == (
        "Zoom broke the protocol: no_media_urls in message 2 while greeting"
    )
    assert str(RemoteError("odd")) == "Zoom broke the protocol: odd"


def test_an_unusable_message_has_a_reason() -> None:
    assert Unusable("no_payload").reason == "no_payload"
