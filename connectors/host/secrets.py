"""Encryption at rest for the few secrets that have to lie in a topic: a ring of keys, so that they can be rotated."""  # noqa: A005

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


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
