"""Zoom's two signatures: the one that opens a stream's sockets and the one on its webhooks.

Both are HMAC-SHA256 in lower-case hex and differ in key and message. Secrets come in as arguments and never leave.
"""

import hashlib
import hmac

WEBHOOK_TOLERANCE_S = 300
"""How far a webhook's timestamp may lie from now before it counts as replayed."""


def _hex(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def handshake_signature(client_id: str, client_secret: str, meeting_id: str, stream_id: str) -> str:
    """The `signature` of messages 1 and 3; `meeting_id` is the product's id exactly as the webhook gave it."""
    return _hex(client_secret, f"{client_id},{meeting_id},{stream_id}".encode())


def verify_handshake(signature: str, client_id: str, client_secret: str, meeting_id: str, stream_id: str) -> bool:
    """Whether `signature` is what `handshake_signature` gives; compared in constant time."""
    expected = handshake_signature(client_id, client_secret, meeting_id, stream_id)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def webhook_signature(secret_token: str, timestamp: str, body: bytes) -> str:
    """The `x-zm-signature` header for a raw `body` sent with `x-zm-request-timestamp: <timestamp>` (seconds)."""
    return "v0=" + _hex(secret_token, b"v0:" + timestamp.encode() + b":" + body)


def verify_webhook(secret_token: str, timestamp: str, body: bytes, signature: str, now_s: float) -> bool:
    """Whether a webhook is Zoom's and fresh. `body` is the request's raw bytes."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now_s - int(timestamp)) > WEBHOOK_TOLERANCE_S:
        return False
    expected = webhook_signature(secret_token, timestamp, body)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def url_validation_answer(secret_token: str, plain_token: str) -> dict[str, str]:
    """The JSON body that answers Zoom's `endpoint.url_validation` challenge."""
    return {"plainToken": plain_token, "encryptedToken": _hex(secret_token, plain_token.encode())}
