"""Which sockets an offer leads to, and what was agreed on them."""

import pytest

from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.negotiation import UNIFIED, Negotiation
from connectors.rtms.protocol.parameters import EVERYTHING, MediaParameters
from connectors.rtms.protocol.signaling import Offer

ALL = ("wss://all.zoom.us",)
EACH = {medium: (f"wss://{medium.value}.zoom.us",) for medium in EVERYTHING}


def negotiation(wanted: MediaParameters = EVERYTHING, *, unified: bool = True) -> Negotiation:
    return Negotiation(wanted, AddressPolicy(), unified=unified)


def planned(offer: Offer, made: Negotiation | None = None) -> dict[str, tuple[tuple[str, ...], set[Medium]]]:
    return {link.channel: (link.urls, set(link.media)) for link in (made or negotiation()).links(offer)}


def test_one_socket_for_everything_that_is_offered() -> None:
    assert planned(Offer(EACH, ALL)) == {UNIFIED: (ALL, set(EVERYTHING))}
    audio = {Medium.AUDIO: EACH[Medium.AUDIO]}
    assert planned(Offer(audio, ALL)) == {UNIFIED: (ALL, {Medium.AUDIO})}
    assert planned(Offer(audio, ())) == {UNIFIED: (EACH[Medium.AUDIO], {Medium.AUDIO})}


def test_a_bare_address_for_all_says_nothing_about_scopes() -> None:
    assert planned(Offer({}, ALL)) == {UNIFIED: (ALL, set(EVERYTHING))}


def test_a_socket_each() -> None:
    made = planned(Offer(EACH, ALL), negotiation(unified=False))
    assert made == {medium.value: (EACH[medium], {medium}) for medium in EVERYTHING}
    assert planned(Offer({}, ALL), negotiation(unified=False))["chat"] == (ALL, {Medium.CHAT})


def test_addresses_that_are_not_permitted_are_not_offered() -> None:
    bad = {Medium.AUDIO: ("wss://evil.com",), Medium.VIDEO: ("wss://evil.com", "wss://v.zoom.us")}
    assert planned(Offer(bad, ("wss://evil.com",))) == {UNIFIED: (("wss://v.zoom.us",), {Medium.VIDEO})}
    assert planned(Offer({}, ("wss://evil.com",))) == {}


def test_nothing_wanted_is_offered() -> None:
    only_chat = EVERYTHING.only(frozenset({Medium.CHAT}))
    assert planned(Offer({Medium.AUDIO: EACH[Medium.AUDIO]}, ALL), negotiation(only_chat)) == {}


def test_what_was_refused_is_not_asked_for_again() -> None:
    made = negotiation()
    made.refuse(Medium.CHAT)
    assert planned(Offer(EACH, ALL), made)[UNIFIED][1] == set(EVERYTHING) - {Medium.CHAT}


@pytest.mark.parametrize("state", [LinkState.OPENING, LinkState.GREETING])
def test_media_are_complete_when_no_first_answer_is_outstanding(state: LinkState) -> None:
    made = negotiation(unified=False)
    links = {link.channel: link for link in made.links(Offer(EACH, ALL))}
    assert not made.is_complete(links.values())
    made.agree(links["audio"], {"audio": {"send_rate": 20}})
    for link in links.values():
        link.state = state
    links["audio"].state = LinkState.UP
    assert not made.is_complete(links.values())
    for link in links.values():
        link.attempt = 1
    assert made.is_complete(links.values()), "those that failed once are not waited for"
    assert list(made.agreed) == [Medium.AUDIO]
    assert made.agreed.audio is not None
    assert made.agreed.audio.send_rate == 20
    assert made.channels() == {Medium.AUDIO: "audio"}
    made.forget("audio")
    made.forget("never there")
    assert not made.is_complete(links.values())
