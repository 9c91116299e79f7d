"""Asks Zoom whether an app's credentials are good, by the client-credentials grant; the token is used for nothing.

Zoom's OAuth documents: `POST /oauth/token` with `grant_type=client_credentials` and HTTP Basic of id and secret; 200
with a token, or 400 or 401 with `error` (`invalid_client`).
"""

from enum import Enum, auto

import httpx

from connectors.host.logs import get_logger

log = get_logger(__name__)

PATH = "/oauth/token"
TIMEOUT_S = 10.0


class Verdict(Enum):
    """What Zoom said; UNKNOWN: nothing that would tell."""

    GOOD = auto()
    BAD = auto()
    UNKNOWN = auto()


class ZoomOAuth:
    """`base_url` is Zoom's (`https://zoom.us`), or a simulator's."""

    def __init__(self, base_url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._timeout_s = base_url.rstrip("/") + PATH, timeout_s

    async def check(self, client_id: str, client_secret: str) -> Verdict:
        """Whether these credentials get a token. Neither they nor the token are kept or logged."""
        try:
            async with httpx.AsyncClient(timeout=self._timeout_s, follow_redirects=False) as client:
                answer = await client.post(
                    self._url, data={"grant_type": "client_credentials"}, auth=(client_id, client_secret)
                )
                document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("zoom cannot say whether credentials are good", error=type(error).__name__)
            return Verdict.UNKNOWN
        return verdict(answer.status_code, document)


def verdict(status: int, document: object) -> Verdict:
    """What an answer says. That Zoom refuses the grant, or a scope of it, says nothing about the secret."""
    fields = document if isinstance(document, dict) else {}
    if status == httpx.codes.OK and fields.get("access_token"):
        return Verdict.GOOD
    is_refused = status in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED)
    if is_refused and fields.get("error") == "invalid_client":
        return Verdict.BAD
    log.warning("zoom does not say whether credentials are good", status=status)
    return Verdict.UNKNOWN
