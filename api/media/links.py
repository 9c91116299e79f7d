"""Who holds a link to a recording's playlist may fetch all that it leads to, as long as the link lasts."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple, Self

from fastapi import Depends

from api.errors import forbidden
from api.services import Services
from connectors.objects.signing import Verdict

PATH = "/playlists"

REFUSALS = {
    Verdict.EXPIRED: "This link has expired. Ask for a new one.",
    Verdict.FORGED: "This link is not one of ours or has been changed.",
}


class Proof(NamedTuple):
    """What a link carries to show that it is one of ours."""

    expires: str
    signature: str


def _proof(expires: str = "", signature: str = "") -> Proof:
    return Proof(expires, signature)


Shown = Annotated[Proof, Depends(_proof)]


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links that end when the one does that was opened. Both raise ObjectsError."""

    services: Services
    now_ms: int
    expires_at_s: int

    @classmethod
    def fresh(cls, services: Services) -> Self:
        """For somebody whose key was looked at."""
        now_ms = services.clock.now_ms()
        return cls(services, now_ms, now_ms // 1000 + services.settings.playlist_url_expires_s)

    @classmethod
    def opened(cls, services: Services, key: str, proof: Proof) -> Self:
        """By the link to `key` as it came in. Raises ApiError 403."""
        now_ms = services.clock.now_ms()
        verdict = services.objects.verify(key, *proof, now_ms)
        if verdict in REFUSALS:
            raise forbidden(REFUSALS[verdict])
        return cls(services, now_ms, int(proof.expires))

    def made(self, key: str) -> str:
        """To what is made here when it is asked for."""
        return self.services.objects.link_here(self.services.settings.base_url() + PATH, key, self.expires_at_s)

    def stored(self, key: str) -> str:
        """To an object."""
        return self.services.objects.signed_url(key, self.expires_at_s - self.now_ms // 1000, self.now_ms)
