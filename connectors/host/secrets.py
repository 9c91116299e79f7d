"""Encryption at rest for the few secrets that have to lie in a topic: a ring of keys, so that they can be rotated.

Processes that hold the same ring can also know each other by it: what one signs, the others recognise.
"""  # noqa: A005

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SecretsError(Exception):
    """No usable key, or a value that no key of the ring opens. Carries neither key nor value."""


class KeyRing:
    """The first key encrypts, every key decrypts: a new one is added behind in all processes, then put first."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SecretsError("must hold at least one Fernet key")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise SecretsError("holds something that is no Fernet key (32 url-safe base64 bytes)") from None
        self._keys = [urlsafe_b64decode(key) for key in keys]

    @staticmethod
    def generate() -> str:
        """A fresh key."""
        return Fernet.generate_key().decode()

    def encrypt(self, value: str) -> str:
        """Text in, printable text out; never the same twice."""
        return self._fernet.encrypt(value.encode()).decode()

    def decrypt(self, value: str) -> str:
        """Undo `encrypt`. Raises SecretsError when the value was changed or its key has left the ring."""
        try:
            return self._fernet.decrypt(value.encode()).decode()
        except InvalidToken:
            raise SecretsError("the value was not encrypted with a key of this ring") from None

    def signature(self, purpose: str, message: bytes) -> str:
        """By the first key, in hexadecimal digits; those of different purposes have nothing in common."""
        return _signature(self._keys[0], purpose, message)

    def is_signed(self, purpose: str, message: bytes, signature: str) -> bool:
        """Whether one of the keys made this signature; any text will do."""
        given = signature.encode(errors="replace")
        found = [hmac.compare_digest(_signature(key, purpose, message).encode(), given) for key in self._keys]
        return any(found)


def _signature(key: bytes, purpose: str, message: bytes) -> str:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)
    return hmac.digest(derived, message, "sha256").hex()
