"""Zoom's token endpoint, as far as an app is checked by it: the client-credentials grant with HTTP Basic. Pure."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs

PATH = "/oauth/token"
_LIFE_S = 3600

Answer = tuple[int, dict[str, Any]]


def answer(path: str, body: str, authorization: str, credentials: tuple[str, str]) -> Answer:
    """What Zoom answers to a POST; `credentials` are the id and secret that it knows."""
    query = parse_qs(path.partition("?")[2]) | parse_qs(body)
    if query.get("grant_type") != ["client_credentials"]:
        return 400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"}
    if _basic(authorization) != credentials:
        return 400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
    return 200, {"access_token": "simulated-token", "token_type": "bearer", "expires_in": _LIFE_S, "scope": ""}


def _basic(authorization: str) -> tuple[str, str] | None:
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (client_id, secret) if scheme.lower() == "basic" else None
