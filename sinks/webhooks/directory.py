"""What webhooks must know besides the news: sessions, subscriptions, and the secrets to sign with."""

import threading
from collections.abc import Callable, Sequence

from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.records import Record as KafkaRecord
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from schemas import topics
from schemas.codec import Undecodable
from schemas.deletion import NOTHING_MS, covers, said_until_ms
from schemas.keys import names
from schemas.records import AppSession, Project, Record, WebhookDelivery, WebhookNotice, WebhookSubscription
from schemas.topics import Topic
from sinks.webhooks import metrics

CATCH_UP_S = 0.5
"""For a topic to be read up to now; whoever waits asks again later, and must not be silent for long."""


class NotKnownYet(Exception):
    """The sessions have not been read up to now."""


class _Kept:
    """A topic's newest values by key."""

    def __init__(self, kafka: KafkaSettings, decoder: Decoder, topic: Topic, stopping: Callable[[float], bool]) -> None:
        self._decoder, self._topic, self._stopping = decoder, topic, stopping
        self.values: dict[str, Record] = {}
        self.view = TopicView(kafka, topic, self._apply).start()

    def _apply(self, record: KafkaRecord) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self.values.pop(key, None)
        elif (value := self._decoded(record.value)) is not None and names(record.key, value):
            self.values[key] = value
        metrics.KNOWN.labels(self._topic.name).set(len(self.values))

    def _decoded(self, value: bytes) -> Record | None:
        try:
            return self._decoder.decode_patiently(self._topic, value, self._stopping)
        except Undecodable:
            return None  # whoever is concerned counts it: lifecycle, the API


class Directory:
    """Written by views' threads, read by the service's."""

    def __init__(self, kafka: KafkaSettings, decoder: Decoder, key_ring: KeyRing) -> None:
        self._key_ring = key_ring
        self._closing = threading.Event()
        self._sessions, self._subscriptions, self._projects = (
            _Kept(kafka, decoder, topic, self._closing.wait)
            for topic in (topics.APP_SESSIONS, topics.WEBHOOK_SUBSCRIPTIONS, topics.PROJECTS)
        )

    @property
    def is_ready(self) -> bool:
        """Whether everything that was there at first is known."""
        return all(kept.view.ready for kept in (self._sessions, self._subscriptions, self._projects))

    def session(self, session_id: str) -> AppSession | None:
        """The session, read up to now before it is said that there is none. Raises NotKnownYet."""
        found = self._sessions.values.get(session_id)
        if found is None:
            if not self._sessions.view.wait_to_end(CATCH_UP_S):
                raise NotKnownYet
            found = self._sessions.values.get(session_id)
        return found if isinstance(found, AppSession) else None

    def is_deleted(self, session_id: str) -> bool:
        """Whether anything of the session is deleted, as far as is known."""
        found = self._sessions.values.get(session_id)
        return isinstance(found, AppSession) and said_until_ms(found) > NOTHING_MS

    def withdraws(self, told: WebhookNotice | WebhookDelivery) -> bool:
        """Whether it would tell something that is deleted, as far as is known."""
        found = self._sessions.values.get(told.session_id)
        return isinstance(found, AppSession) and covers(found, told)

    def knows_subscriptions(self) -> bool:
        """Whether what was answered to who has subscribed by now is known here, after a moment's wait for it."""
        return self._subscriptions.view.wait_to_end(CATCH_UP_S)

    def subscriptions(self, project_id: str) -> list[WebhookSubscription]:
        """A project's subscriptions."""
        known = list(self._subscriptions.values.values())
        return [entry for entry in known if isinstance(entry, WebhookSubscription) and entry.project_id == project_id]

    def subscription(self, subscription_id: str) -> WebhookSubscription | None:
        """One subscription; None also for a session's own webhook."""
        found = self._subscriptions.values.get(subscription_id)
        return found if isinstance(found, WebhookSubscription) else None

    def secrets(self, delivery: WebhookDelivery) -> Sequence[str]:
        """What a delivery is signed with, the newest first: its subscription's secrets, else its project's.

        Raises SecretsError when the key ring lacks their key.
        """
        subscription = self.subscription(delivery.subscription_id)
        project = self._projects.values.get(delivery.project_id)
        encrypted: Sequence[str] = ()
        if subscription is not None:
            encrypted = subscription.secrets_encrypted
        elif isinstance(project, Project):
            encrypted = project.webhook_secrets_encrypted
        return [self._key_ring.decrypt(secret) for secret in encrypted]

    def close(self) -> None:
        """Stop reading."""
        self._closing.set()
        for kept in (self._sessions, self._subscriptions, self._projects):
            kept.view.close()
