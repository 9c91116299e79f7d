"""Which media are asked for on which socket, and what Zoom agreed to: from an offer to the moment media may flow."""

from collections.abc import Iterable

from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.links import Link, LinkState
from connectors.rtms.protocol.parameters import MediaParameters
from connectors.rtms.protocol.retry import MEDIA_WINDOW_MS
from connectors.rtms.protocol.signaling import Offer

UNIFIED = "media"
"""The channel of the one media socket for everything."""

_UNSETTLED = frozenset({LinkState.OPENING, LinkState.GREETING})


class Negotiation:
    """The media side of one stream: what is wanted, what was refused for good, what each channel agreed to."""

    __slots__ = ("_addresses", "_agreed", "_refused", "_unified", "asked")

    def __init__(self, wanted: MediaParameters, addresses: AddressPolicy, *, unified: bool) -> None:
        self.asked = wanted
        self._addresses = addresses
        self._unified = unified
        self._refused: set[Medium] = set()
        self._agreed: dict[str, MediaParameters] = {}

    def links(self, offer: Offer) -> list[Link]:
        """The media sockets to open for an offer; none if nothing wanted is offered at a permitted address.

        Zoom names the media that the app may have by their URLs; a bare URL for all leaves that open.
        """
        self._agreed.clear()
        everything = self._addresses.permitted(offer.all_urls)
        by_medium = {medium: self._addresses.permitted(urls) for medium, urls in offer.urls.items()}
        by_medium = {medium: urls for medium, urls in by_medium.items() if urls}
        offered = frozenset(by_medium) if by_medium else frozenset(Medium) if everything else frozenset()
        media = [medium for medium in self.asked if medium in offered and medium not in self._refused]
        if not media:
            return []
        anything = everything or by_medium[media[0]]
        if self._unified:
            return [Link(UNIFIED, MEDIA_WINDOW_MS, anything, frozenset(media))]
        return [
            Link(medium.value, MEDIA_WINDOW_MS, by_medium.get(medium, anything), frozenset({medium}))
            for medium in media
        ]

    def agree(self, link: Link, answer: object) -> None:
        """Zoom accepted the link's handshake with these `media_params`."""
        self._agreed[link.channel] = self.asked.only(link.media).from_wire(answer)

    def refuse(self, medium: Medium) -> None:
        """Zoom will not send this medium; it is not asked for again."""
        self._refused.add(medium)

    def forget(self, channel: str) -> None:
        """The channel's socket is gone, and with it what was agreed on it."""
        self._agreed.pop(channel, None)

    def is_complete(self, links: Iterable[Link]) -> bool:
        """Whether there is something to acknowledge and no first answer is still on its way."""
        return bool(self._agreed) and not any(link.state in _UNSETTLED and link.attempt == 0 for link in links)

    @property
    def agreed(self) -> MediaParameters:
        """What Zoom agreed to, of all channels together."""
        merged = MediaParameters()
        for parameters in self._agreed.values():
            merged = merged.merged(parameters)
        return merged

    def channels(self) -> dict[Medium, str]:
        """Through which channel each agreed medium comes."""
        return {medium: channel for channel, parameters in self._agreed.items() for medium in parameters}
