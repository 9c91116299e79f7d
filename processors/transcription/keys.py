"""With whose key a speech service is asked: the project's own, where it has one."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from connectors.host.logs import get_logger
from connectors.host.secrets import SecretsError
from connectors.kafka.credentials import Credentials
from schemas.records import CredentialKind
from schemas.settings import Engine

log = get_logger(__name__)

CATCH_UP_S = 2.0

KIND_OF: Mapping[Engine, CredentialKind] = {
    Engine.DEEPGRAM: CredentialKind.DEEPGRAM,
    Engine.OPENAI: CredentialKind.OPENAI,
}


class Unreadable(Exception):
    """The project has a key that this process cannot decrypt, not yet or no more: it is asked with no other in its
    place."""


class Keys(Protocol):
    """Where projects' own keys are found."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def of(self, project_id: str, engine: Engine, *, is_needed: bool) -> str | None:
        """The project's own key, None where it has none; where one `is_needed`, nothing is known of later than this
        call. Raises Unreadable."""


class NoKeys:
    """The operator's keys are all there are."""

    def start(self) -> None:
        return

    async def stop(self) -> None:
        return

    async def of(self, project_id: str, engine: Engine, *, is_needed: bool) -> str | None:
        return None


class ProjectKeys:
    """Those of the control plane. A changed key counts for whoever asks from then on."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def start(self) -> None:
        self._credentials.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._credentials.close)

    async def of(self, project_id: str, engine: Engine, *, is_needed: bool) -> str | None:
        kind = KIND_OF.get(engine)
        if not project_id or kind is None:
            return None
        await self._credentials.until_ready()
        found = self._credentials.get(project_id, kind)
        if found is None and is_needed and await self._credentials.catch_up(CATCH_UP_S):
            found = self._credentials.get(project_id, kind)
        if found is None:
            return None
        try:
            return self._credentials.secret(found)
        except SecretsError:
            log.error("a project's key cannot be decrypted", project_id=project_id, kind=kind)
            raise Unreadable from None
