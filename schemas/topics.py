"""The only place where a topic is spelled: its name, value schema, clean-up and retention.

`python -m connectors.kafka topics` creates exactly these before anything starts; nothing is ever created by use.
All session topics have the same partition count, so that one session has one partition number everywhere.
"""

from dataclasses import dataclass
from enum import StrEnum

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""The largest value that goes onto a topic; what is larger becomes a dead letter."""

MAX_BATCH_BYTES = MAX_RECORD_BYTES + 64 * 1024
"""`max.message.bytes` of topics and producers: Kafka limits the batch, which has headers of its own."""


class Cleanup(StrEnum):
    DELETE = "delete"
    COMPACT = "compact"
    COMPACT_DELETE = "compact,delete"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    `schema` names the Avro file of its values (`schemas/avro/<schema>.avsc`). `per_session` says that the topic has
    the common session partition count (else one partition). `retention_ms` is None for purely compacted topics.
    `text` topics are compressed with gzip, which every client library can read; media does not compress.
    """

    name: str
    schema: str
    cleanup: Cleanup
    retention_ms: int | None
    per_session: bool = True
    text: bool = True

    @property
    def subject(self) -> str:
        """The registry subject of the values."""
        return f"{self.name}-value"

    @property
    def medium(self) -> str:
        """What a topic of media carries, in one word."""
        return self.name.removeprefix("rtms.")


def _media(name: str, *, text: bool) -> Topic:
    return Topic(name, f"{name}.v1", Cleanup.DELETE, DAY_MS, text=text)


def _state(name: str) -> Topic:
    return Topic(name, "processor-state.v1", Cleanup.COMPACT, None)


def _control(name: str, schema: str) -> Topic:
    return Topic(name, schema, Cleanup.COMPACT, None, per_session=False)


AUDIO = _media("rtms.audio", text=False)
VIDEO = _media("rtms.video", text=False)
SHARE = _media("rtms.share", text=False)
CAPTIONS = _media("rtms.captions", text=True)
CHAT = _media("rtms.chat", text=True)
EVENTS = _media("rtms.events", text=True)

SESSION_FACTS = Topic("session-facts", "session-fact.v1", Cleanup.DELETE, 14 * DAY_MS)
APP_SESSIONS = Topic("app-sessions", "app-session.v1", Cleanup.COMPACT, None)
SESSION_CHANGES = Topic("session-changes", "session-change.v1", Cleanup.DELETE, 14 * DAY_MS)

TRANSCRIPTS = Topic("transcripts", "utterance.v1", Cleanup.COMPACT_DELETE, 7 * DAY_MS)
TRANSCRIPT_PARTIALS = Topic("transcript-partials", "utterance.v1", Cleanup.DELETE, HOUR_MS)
"""Beside the transcripts, so that none can ever stand in the place of a final, whoever writes late."""

PARTICIPANT_EVENTS = Topic("participant-events", "participant-event.v1", Cleanup.COMPACT_DELETE, 7 * DAY_MS)
WEBHOOK_NOTICES = Topic("webhook-notices", "webhook-notice.v1", Cleanup.DELETE, 7 * DAY_MS)
WEBHOOK_DELIVERIES = Topic("webhook-deliveries", "webhook-delivery.v1", Cleanup.COMPACT_DELETE, 7 * DAY_MS)
RECORDING_SEGMENTS = Topic("recording-segments", "segment.v1", Cleanup.DELETE, DAY_MS, text=False)

TRANSCRIPTION_STATE = _state("transcription-state")
MUXING_STATE = _state("muxing-state")
PARTICIPANTS_STATE = _state("participants-state")

STATE_TOPICS = (TRANSCRIPTION_STATE, MUXING_STATE, PARTICIPANTS_STATE)
"""What processors remember of each running session, to go on with after a crash."""

PROJECTS = _control("projects", "project.v1")
API_KEYS = _control("api-keys", "api-key.v1")
API_KEY_USES = _control("api-key-uses", "api-key-use.v1")
TEMPLATES = _control("templates", "template.v1")
ZOOM_APPS = _control("zoom-apps", "zoom-app.v1")
CREDENTIALS = _control("credentials", "credential.v1")
WEBHOOK_SUBSCRIPTIONS = _control("webhook-subscriptions", "webhook-subscription.v1")

CLAIMS = Topic("claims", "claim.v1", Cleanup.DELETE, 5 * DAY_MS, per_session=False)
"""Never compacted: a verdict hangs on the order of all records. Kept for more than twice as long as a claim can hold
(`schemas.claims`), so that what is deleted decides about nothing that still does."""

DEAD_LETTERS = Topic("dead-letters", "dead-letter.v1", Cleanup.DELETE, 7 * DAY_MS, per_session=False)

MEDIA_TOPICS = (AUDIO, VIDEO, SHARE, CAPTIONS, CHAT, EVENTS)
"""What a connector worker writes; each carries `begin`, `tick` and `end` records between its frames."""

CONTROL_PLANE_TOPICS = (PROJECTS, API_KEYS, API_KEY_USES, ZOOM_APPS, CREDENTIALS, WEBHOOK_SUBSCRIPTIONS, TEMPLATES)

ALL = (
    *MEDIA_TOPICS,
    SESSION_FACTS,
    APP_SESSIONS,
    SESSION_CHANGES,
    TRANSCRIPTS,
    TRANSCRIPT_PARTIALS,
    PARTICIPANT_EVENTS,
    WEBHOOK_NOTICES,
    WEBHOOK_DELIVERIES,
    RECORDING_SEGMENTS,
    *STATE_TOPICS,
    *CONTROL_PLANE_TOPICS,
    CLAIMS,
    DEAD_LETTERS,
)

BY_NAME = {topic.name: topic for topic in ALL}
