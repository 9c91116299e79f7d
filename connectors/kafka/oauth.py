"""Tokens for clients that cannot fetch them by themselves; librdkafka can, so its clients do not need this.

One token is shared until it is nearly over; a token server that does not answer is asked again by the next attempt to
connect.
"""

import ssl
import threading
from typing import NamedTuple

import httpx

from connectors.host.clock import Clock, SystemClock
from connectors.kafka.errors import KafkaError
from connectors.kafka.settings import KafkaSettings

_TIMEOUT_S = 10.0
_USED_SHARE = 0.8
_DEFAULT_LIFE_S = 300


class NoToken(KafkaError):
    """The token server did not give one. Carries no secret."""


class _Held(NamedTuple):
    token: str
    until_s: float


class Tokens:
    """The access tokens of one client id, by the client-credentials grant. Safe to use from several threads."""

    def __init__(self, settings: KafkaSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._held: _Held | None = None
        self._lock = threading.Lock()

    def current(self) -> str:
        """A token that is good for some time yet; blocks while one is fetched. Raises NoToken."""
        with self._lock:
            if self._held is None or self._clock.monotonic() >= self._held.until_s:
                self._held = self._fetch()
            return self._held.token

    def _fetch(self) -> _Held:
        settings = self._settings
        grant = {"grant_type": "client_credentials"} | ({"scope": settings.oauth_scope} if settings.oauth_scope else {})
        verify = ssl.create_default_context(cafile=settings.oauth_ca_location or None)
        auth = (settings.oauth_client_id, settings.oauth_client_secret.get_secret_value())
        try:
            answer = httpx.post(
                settings.oauth_token_url, data=grant, auth=auth, verify=verify, timeout=_TIMEOUT_S, trust_env=False
            )
            answer.raise_for_status()
            body = answer.json()
            token, life_s = str(body["access_token"]), float(body.get("expires_in", _DEFAULT_LIFE_S))
        except httpx.HTTPStatusError as refused:
            raise NoToken(f"the token server answered {refused.response.status_code}") from None
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise NoToken(f"no token ({type(error).__name__})", retryable=True) from None
        return _Held(token, self._clock.monotonic() + life_s * _USED_SHARE)
