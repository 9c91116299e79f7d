"""Opens and closes everything that the API talks to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from api.claims import Claims
from api.directory import Directory
from api.feeds.feeds import Feeds
from api.feeds.news import MakeNews
from api.feeds.replays import Replays
from api.followed import Followed, FollowedLog
from api.journal import Journal
from api.live_sessions import LiveSessions
from api.media.downloads import PATH
from api.participant_events.news import ParticipantNews
from api.services import Services
from api.settings import ApiSettings
from api.transcripts.news import TranscriptNews
from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.clock import Clock
from connectors.host.health import Health
from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, Producer, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.tail import Tail
from connectors.kafka.topics import longest_kept_ms
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from connectors.rtms.credentials import ZoomOAuth
from connectors.rtms.settings import ZoomSettings
from connectors.speech.settings import CustomAsyncSettings
from connectors.webhooks.settings import WebhooksSettings
from schemas import topics
from schemas.topics import Topic

LONGEST_QUERY_S = 15
HEALTH_INTERVAL_S = 0.5

LIVE: dict[Topic, MakeNews] = {topics.TRANSCRIPTS: TranscriptNews, topics.PARTICIPANT_EVENTS: ParticipantNews}
"""What can be read live, and what is made of its records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings of everything that the API talks to, and what was made of them at start."""

    api: ApiSettings
    kafka: KafkaSettings
    clickhouse: ClickHouseSettings
    objects: ObjectsSettings
    zoom: ZoomSettings
    webhooks: WebhooksSettings
    custom_async: CustomAsyncSettings
    key_ring: KeyRing
    decoder: Decoder
    clock: Clock


@asynccontextmanager
async def open_services(
    configuration: Configuration, health: Health, on_broken: Callable[[], None]
) -> AsyncIterator[Services]:
    """Everything behind the API, while it runs; `health` is ready once all views are.

    `on_broken` is called once if the producer is broken for good: this process will record nothing any more.
    """
    kafka, settings = configuration.kafka, configuration.api
    sessions, claims, directory = LiveSessions(), Claims(), Directory()
    applies = {
        topics.APP_SESSIONS: sessions.apply,
        topics.PROJECTS: directory.apply_project,
        topics.API_KEYS: directory.apply_api_key,
        topics.API_KEY_USES: directory.apply_api_key_use,
        topics.TEMPLATES: directory.apply_template,
        topics.ZOOM_APPS: directory.apply_zoom_app,
        topics.CREDENTIALS: directory.apply_credential,
        topics.WEBHOOK_SUBSCRIPTIONS: directory.apply_subscription,
    }
    followed = {topic: Followed(kafka, configuration.decoder, topic, apply) for topic, apply in applies.items()}
    followed[topics.CLAIMS] = FollowedLog(kafka, configuration.decoder, topics.CLAIMS, claims.apply)
    for view in followed.values():
        view.start()
    feeds = _feeds(configuration, sessions)
    producer = create_producer(kafka, CONTROL)
    clickhouse = ClickHouse(_bounded(configuration.clickhouse))
    views: list[_Ready] = [*followed.values(), feeds]
    watch = asyncio.create_task(_watch(health, views, producer, on_broken))
    try:
        yield Services(
            settings=settings,
            addresses=configuration.zoom.addresses(),
            targets=configuration.webhooks.targets(),
            clock=configuration.clock,
            journal=Journal(kafka, producer, configuration.decoder.codec, settings.append_timeout_s),
            sessions=sessions,
            claims=claims,
            directory=directory,
            followed=followed,
            kept_ms={topic: kept for topic in topics.ALL if (kept := longest_kept_ms(topic, kafka)) is not None},
            clickhouse=clickhouse,
            objects=ObjectStore(_linked(configuration.objects, settings)),
            key_ring=configuration.key_ring,
            feeds=feeds,
            has_custom_async=bool(configuration.custom_async.url),
            zoom_oauth=ZoomOAuth(configuration.zoom.oauth_url) if configuration.zoom.oauth_url else None,
        )
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        feeds.close()
        for view in followed.values():
            view.close()
        producer.close(settings.append_timeout_s)
        clickhouse.close()


def _feeds(configuration: Configuration, sessions: LiveSessions) -> Feeds:
    kafka, decoder = configuration.kafka, configuration.decoder
    feeds = Feeds(Replays(kafka, decoder, LIVE), decoder, sessions, configuration.api)
    feeds.follow(Tail(kafka, (*LIVE, topics.TRANSCRIPT_PARTIALS), feeds))
    return feeds


class _Ready(Protocol):
    """What reads topics."""

    @property
    def is_ready(self) -> bool: ...


async def _watch(health: Health, views: Iterable[_Ready], producer: Producer, on_broken: Callable[[], None]) -> None:
    views = list(views)
    while producer.connection.fatal is None:
        health.beat()
        health.ready(all(view.is_ready for view in views), "reading topics", "views")
        await asyncio.sleep(HEALTH_INTERVAL_S)
    health.ready(False, "kafka client broken", "kafka")
    on_broken()


def _bounded(settings: ClickHouseSettings) -> ClickHouseSettings:
    """A request does not wait as long as a batch may."""
    return settings.model_copy(update={"timeout_s": min(settings.timeout_s, LONGEST_QUERY_S)})


def _linked(objects: ObjectsSettings, settings: ApiSettings) -> ObjectsSettings:
    """A folder's objects are served by this API, so it knows their address best."""
    if not objects.is_folder:
        return objects
    return objects.model_copy(update={"public_url": settings.base_url() + PATH})
