"""Who reads which feed from where: asked of requests and of WebSockets alike."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Header, Query, WebSocket
from fastapi.responses import StreamingResponse

from api.access import ReadingKey, check_scope, key_of, still_opens
from api.answers import answers
from api.app_sessions.commands import find
from api.app_sessions.current import CurrentSession
from api.credentials import Scope
from api.feeds.cursors import Cursor, parsed
from api.feeds.log_reader import LogReader
from api.feeds.news import FeedKey
from api.feeds.serving import MEDIA_TYPE, Terms
from api.services import Here, Services
from schemas import topics
from schemas.ids import partition_of
from schemas.records import ApiKey, AppSession
from schemas.settings import Engine
from schemas.topics import Topic

_ABOUT_CURSOR = "the id of the last event that was received; what came after it is told"


@dataclass(frozen=True, slots=True)
class Asked:
    """A session that may be read, by which key, and after which event."""

    services: Services
    session: AppSession
    after: Cursor
    key: ApiKey

    @property
    def terms(self) -> Terms:
        """The key is asked for again and again: a feed outlives many a key."""
        services = self.services
        return Terms(partial(still_opens, services, self.key), services.clock, services.settings.feed_keep_alive_s)

    def log_reader(self, topic: Topic, engine: Engine | None = None) -> LogReader:
        """A reader of what the session has on a topic. While `begin` says yes, nothing is missing from it."""
        assert topic.retention_ms is not None
        key = FeedKey(topic.name, self.session.session_id, self.after.partition, engine)
        kept_since_ms = self.services.clock.now_ms() - topic.retention_ms
        return LogReader(self.services.feeds, self.session, key, self.after, kept_since_ms)


async def _asked(
    services: Here,
    session: CurrentSession,
    key: ReadingKey,
    header: Annotated[str | None, Header(alias="Last-Event-ID", description=_ABOUT_CURSOR)] = None,
    last_event_id: Annotated[str | None, Query(description="for clients that cannot set the header")] = None,
) -> Asked:
    after = parsed(header or last_event_id, _partition(services, session))
    return Asked(services, session, after, key)


async def _asked_by_socket(
    websocket: WebSocket, services: Here, session_id: str, last_event_id: str | None = None
) -> Asked:
    headers = websocket.headers
    key = await key_of(services, headers.get("authorization"))
    check_scope(key, Scope.READ)
    session = await find(services, key.project_id, session_id)
    after = parsed(headers.get("last-event-id") or last_event_id, _partition(services, session))
    return Asked(services, session, after, key)


def _partition(services: Services, session: AppSession) -> int:
    """Where the session's records are, on every topic."""
    return partition_of(session.session_id, services.journal.partitions(topics.APP_SESSIONS))


AskedFeed = Annotated[Asked, Depends(_asked)]
AskedBySocket = Annotated[Asked, Depends(_asked_by_socket)]


def feed_answers(example: str) -> dict[str, Any]:
    """What a route of a feed passes to FastAPI; `example` is a stretch of the stream."""
    stream = {
        "description": "Events, until the feed is complete. The same path as a WebSocket tells the same in messages.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "examples": {"stream": {"value": example}}}},
    }
    complete = {"description": "The last event has been received; there is nothing to come back for."}
    refusals = answers(400, 401, 403, 404, 410, 503)
    return {
        "response_class": StreamingResponse,
        "response_model": None,
        "responses": {200: stream, 204: complete} | refusals,
    }
