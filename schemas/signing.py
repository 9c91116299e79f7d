"""How webhooks are written and signed. Pure.

The canonical form is also the body that is sent: a receiver may verify the raw bytes, or parse and write again with
sorted keys and no blanks, as clients of the App Session API do. For that to come out the same in any language there are
no numbers but integers.
"""

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

SIGNATURE = "X-Webhook-Signature"
SECRET_BYTES = 32
_STANDARD_PREFIX = "v1,"


def canonical(envelope: Mapping[str, Any]) -> str:
    """Sorted keys, no blanks, nothing escaped that need not be; integral floats are integers, others strings."""
    return json.dumps(_portable(envelope), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def signature(secret: str, body: str) -> str:
    """HMAC-SHA256 of `body` in base64; `secret` is shown and kept as base64."""
    return base64.b64encode(_digest(secret, body.encode())).decode()


def signature_headers(secrets: Sequence[str], message_id: str, timestamp_s: int, body: str) -> dict[str, str]:
    """The headers of one attempt: the App Session API's by the newest secret, Standard Webhooks' by all of them."""
    signed = f"{message_id}.{timestamp_s}.{body}".encode()
    standard = [_STANDARD_PREFIX + base64.b64encode(_digest(secret, signed)).decode() for secret in secrets]
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp_s)}
    if secrets:
        headers |= {SIGNATURE: signature(secrets[0], body), "webhook-signature": " ".join(standard)}
    if len(secrets) > 1:
        headers["X-Webhook-Signature-Previous"] = signature(secrets[1], body)
    return headers


def _digest(secret: str, message: bytes) -> bytes:
    return hmac.new(base64.b64decode(secret), message, hashlib.sha256).digest()


def _portable(value: Any) -> Any:
    """`value` without numbers that two languages write differently."""
    if isinstance(value, Mapping):
        return {str(key): _portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else str(value)
    return value
