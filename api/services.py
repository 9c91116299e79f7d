"""What handlers work with, and how they get it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends
from fastapi.requests import HTTPConnection

from api.claims import Claims
from api.directory import Directory
from api.errors import ApiError, unavailable
from api.feeds.feeds import Feeds
from api.followed import Followed
from api.journal import Journal
from api.live_sessions import LiveSessions
from api.settings import ApiSettings
from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.errors import ClickHouseError
from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.host.secrets import KeyRing
from connectors.objects.store import ObjectStore
from connectors.rtms.credentials import ZoomOAuth
from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.webhooks.targets import TargetPolicy
from schemas.topics import Topic

log = get_logger(__name__)

SEARCHES_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything behind the API. `followed` has a view per topic: app sessions, claims and the control plane.

    `kept_ms` says how long what was written on a topic may stay on the brokers' disks. `addresses` says where a stream
    may be, `targets` where webhooks may go: the policies that others connect by. `has_custom_async` says whether the
    operator has a transcriber, `zoom_oauth` knows whether credentials of Zoom apps are good, where that is asked.
    """

    settings: ApiSettings
    addresses: AddressPolicy
    targets: TargetPolicy
    clock: Clock
    journal: Journal
    sessions: LiveSessions
    claims: Claims
    directory: Directory
    followed: Mapping[Topic, Followed]
    kept_ms: Mapping[Topic, int]
    clickhouse: ClickHouse
    objects: ObjectStore
    key_ring: KeyRing
    feeds: Feeds
    has_custom_async: bool = False
    zoom_oauth: ZoomOAuth | None = None
    searches: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SEARCHES_AT_ONCE))
    background: set[asyncio.Task[None]] = field(default_factory=set)

    async def catch_up(self, topic: Topic) -> None:
        """Know everything of a topic that was there when this was called. Raises ApiError 503."""
        if not await self.followed[topic].caught_up(self.settings.freshness_timeout_s):
            raise _unknown()

    async def refresh(self, topic: Topic) -> None:
        """Know everything of a topic that can be known now: while Kafka is away, what had been read before.

        For lists, which are worth having then too.
        """
        followed = self.followed[topic]
        if followed.is_connected:
            await followed.caught_up(self.settings.freshness_timeout_s)

    async def select(self, sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """Rows from ClickHouse. Raises ApiError 503."""
        try:
            return await self.clickhouse.query_async(sql, parameters, self.settings.query_patience_s)
        except ClickHouseError as error:
            log.warning("clickhouse cannot answer", code=error.code, error=error.name)
            raise unavailable("The answer cannot be read now. Try again.") from None


def _unknown() -> ApiError:
    return unavailable("The answer is not known yet. Try again.")


async def services_of(connection: HTTPConnection) -> Services:
    """The services of the app that got the request. Raises ApiError 503 until they have once read all that there was.

    What is half read is older than what others have told by then: a session would go back in its life, a key that was
    switched off would open its project again.
    """
    services: Services = connection.app.state.services
    if not all(followed.is_ready for followed in services.followed.values()):
        raise _unknown()
    return services


Here = Annotated[Services, Depends(services_of)]
