"""The projects' own credentials, as the control plane has them now; decrypted only when one is used.

A credential is found by its project and its kind alone, and a record that says another project is nobody's: nothing
that anybody writes can make one project's be used for another.
"""

import threading
from typing import Self

from connectors.host.logs import get_logger
from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from schemas.codec import Undecodable
from schemas.ids import credential_id
from schemas.keys import keyed
from schemas.records import Credential, CredentialKind
from schemas.topics import CREDENTIALS

log = get_logger(__name__)

READY_TIMEOUT_S = 5.0


class Credentials:
    """Written by a view's thread, read by any."""

    def __init__(self, settings: KafkaSettings, decoder: Decoder, key_ring: KeyRing) -> None:
        self._decoder, self._key_ring = decoder, key_ring
        self._known: dict[str, Credential] = {}
        self._closing = threading.Event()
        self._view = TopicView(settings, CREDENTIALS, self._apply)

    def start(self) -> Self:
        """Begin to read."""
        self._view.start()
        return self

    def close(self) -> None:
        """Stop reading."""
        self._closing.set()
        self._view.close()

    @property
    def is_ready(self) -> bool:
        """Whether everything that was there at first is known."""
        return self._view.ready

    async def until_ready(self) -> None:
        """Return once everything that was there at first is known."""
        while not self._view.ready:
            await self.catch_up(READY_TIMEOUT_S)

    async def catch_up(self, timeout_s: float) -> bool:
        """Know everything that is there now; false when that was not in time."""
        return await self._view.wait_to_end_async(timeout_s)

    def catch_up_blocking(self, timeout_s: float) -> bool:
        """`catch_up` for threads."""
        return self._view.wait_to_end(timeout_s)

    def get(self, project_id: str, kind: CredentialKind) -> Credential | None:
        """A project's credential of a kind, as far as is known."""
        found = self._known.get(credential_id(project_id, kind))
        return found if found is not None and (found.project_id, found.kind) == (project_id, kind) else None

    def secret(self, credential: Credential) -> str:
        """What is secret in it. Raises SecretsError when the key that encrypted it has left the key ring."""
        return self._key_ring.decrypt(credential.secret_encrypted)

    def _apply(self, record: Record) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._known.pop(key, None)
            return
        try:
            found = self._decoder.decode_patiently(CREDENTIALS, record.value, self._closing.wait)
            if isinstance(found, Credential):  # else we are closing
                self._known[key] = keyed(record.key, found)
        except Undecodable as error:
            log.error("credential skipped", offset=record.offset, reason=error.reason)
