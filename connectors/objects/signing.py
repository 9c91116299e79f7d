"""Links to objects in a folder that need no other credential and expire: an HMAC over the key and the expiry.

A bucket signs its own links; a folder has nobody who could, so the API serves it and checks these. Pure: the time is an
argument.
"""

import base64
import hashlib
import hmac
from enum import Enum
from urllib.parse import quote, urlencode

_CONTEXT = b"rtms-object-link-v1"


class Verdict(Enum):
    """What a link is worth."""

    GOOD = "good"
    EXPIRED = "expired"
    FORGED = "forged"


def signature_of(signing_key: bytes, object_key: str, expires_at_s: int) -> str:
    """The signature of one object until one moment (Unix seconds), safe in a URL."""
    message = b"\0".join((_CONTEXT, object_key.encode(), str(expires_at_s).encode()))
    digest = hmac.new(signing_key, message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signed_url(public_url: str, signing_key: bytes, object_key: str, expires_at_s: int) -> str:
    """The link: `public_url`/`object_key`?expires=...&signature=..."""
    query = urlencode({"expires": expires_at_s, "signature": signature_of(signing_key, object_key, expires_at_s)})
    return f"{public_url.rstrip('/')}/{quote(object_key)}?{query}"


def verify(signing_key: bytes, object_key: str, expires: str, signature: str, now_s: float) -> Verdict:
    """Judge a link as it came in; anything malformed is forged. Forged is told before expired."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and signature.isascii()):
        return Verdict.FORGED
    expected = signature_of(signing_key, object_key, int(expires))
    if not hmac.compare_digest(expected, signature):
        return Verdict.FORGED
    return Verdict.EXPIRED if now_s >= int(expires) else Verdict.GOOD
