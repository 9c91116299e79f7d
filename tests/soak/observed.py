"""What a disturbed run has left behind, everywhere: topics, tables, objects, the API, the groups' offsets."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import KafkaError
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from processors.composing import service as composing
from processors.muxing.logic import MuxingLogic
from processors.participants.logic import ParticipantsLogic
from processors.transcription.afterwards.connecting import GROUP as AFTERWARDS
from processors.transcription.logic import TranscriptionLogic
from schemas import clickhouse, topics
from schemas.clickhouse import Table
from schemas.keys import objects_folder
from schemas.records import DeadLetter, MediaRecord, ParticipantEvent, Record, Segment, SessionChange, Utterance
from schemas.topics import Topic
from sinks.clickhouse import service as sink_clickhouse
from sinks.webhooks import announcing, delivering
from tests.support.groups import Committed

LOAD_S = 120.0

ANSWER_S = 10.0

COUNTING_S = 20.0
COUNTED = 2_000
"""Records of a group are read to be counted up to here: an hour of pictures is gigabytes."""

GROUPS: Mapping[str, Sequence[str]] = {
    "lifecycle": (topics.SESSION_FACTS.name,),
    "participants": ParticipantsLogic.topics,
    "transcription": TranscriptionLogic.topics,
    composing.GROUP: (topics.APP_SESSIONS.name,),
    AFTERWARDS: (topics.APP_SESSIONS.name,),
    "muxing": MuxingLogic.topics,
    "sink-clickhouse": [topic.name for topic in sink_clickhouse.INPUTS],
    "sink-objects": (topics.RECORDING_SEGMENTS.name,),
    announcing.GROUP: [topic.name for topic in announcing.INPUTS],
    delivering.GROUP: (topics.WEBHOOK_NOTICES.name,),
}
"""Every consumer group of ours and what it reads."""

TABLES = (
    (clickhouse.UTTERANCES, "utterance_id"),
    (clickhouse.PARTICIPANT_EVENTS, "event_id"),
    (clickhouse.APP_SESSIONS, "session_id"),
)
"""Each with the column of its derived id."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A session's rows of one table: as readers see them (FINAL), and how many ids there are without that."""

    seen: Sequence[Mapping[str, Any]]
    distinct: int


@dataclass(frozen=True, slots=True)
class Observed:
    """All records of one session, each as often as it was written; `partials` are what was told while it was said."""

    utterances: Sequence[Utterance]
    partials: Sequence[Utterance]
    events: Sequence[ParticipantEvent]
    segments: Sequence[Segment]
    changes: Sequence[SessionChange]
    rows: Mapping[str, Rows]
    objects: Mapping[str, bytes]


class Observer:
    """Looks at one stack; slow and thorough, for when everything has come to rest."""

    def __init__(self, kafka: KafkaSettings, environment: Mapping[str, str]) -> None:
        self._kafka = kafka
        self._decoder = Decoder.from_settings(kafka)
        self._store = ObjectStore(ObjectsSettings(url=environment["RTMS_OBJECTS_URL"]))
        self._clickhouse = ClickHouse(ClickHouseSettings(url=environment["RTMS_CLICKHOUSE_URL"]))
        self._ends = OffsetDirectory(kafka)

    def close(self) -> None:
        self._clickhouse.close()

    def inputs(self, sessions: Iterable[str]) -> dict[str, dict[str, list[MediaRecord]]]:
        """What stands in the media topics, by session and topic."""
        found: dict[str, dict[str, list[MediaRecord]]] = {
            session: {topic.name: [] for topic in topics.MEDIA_TOPICS} for session in sessions
        }
        for topic in topics.MEDIA_TOPICS:
            for record in self._records(topic):
                assert isinstance(record, MediaRecord)
                if record.session_id in found:
                    found[record.session_id][topic.name].append(record)
        return found

    def observed(self, sessions: Sequence[str]) -> dict[str, Observed]:
        """By session."""
        wanted = frozenset(sessions)
        utterances = self._by_session(topics.TRANSCRIPTS, wanted)
        partials = self._by_session(topics.TRANSCRIPT_PARTIALS, wanted)
        events = self._by_session(topics.PARTICIPANT_EVENTS, wanted)
        segments = self._by_session(topics.RECORDING_SEGMENTS, wanted)
        changes = self._by_session(topics.SESSION_CHANGES, wanted)
        return {
            session: Observed(
                utterances[session], partials[session], events[session], segments[session], changes[session],
                rows={table.name: self._rows(table, column, session) for table, column in TABLES},
                objects={item.key: self._store.get(item.key) for item in self._store.list(objects_folder(session))},
            )
            for session in sessions
        }  # fmt: skip

    def letters(self) -> list[DeadLetter]:
        """All dead letters of the stack."""
        return [letter for letter in self._records(topics.DEAD_LETTERS) if isinstance(letter, DeadLetter)]

    def behind(self) -> dict[str, int]:
        """Records that a group has not committed yet, by group; groups with none are left out. Raises KafkaError.

        Of many only about how many: offsets, some of which are markers.
        """
        try:
            lags = {group: self._lag(group, names) for group, names in GROUPS.items()}
        except KafkaException as error:
            raise KafkaError(f"the group coordinator does not answer ({type(error).__name__})") from error
        return {group: lag for group, lag in lags.items() if lag}

    def _lag(self, group: str, names: Sequence[str]) -> int:
        places = [Place(name, number) for name in names for number in range(self._kafka.partitions)]
        ends = self._ends.ends(places)
        asked = Committed(self._kafka, group)  # a new one: an old one may wait for the broker that was killed
        with closing(asked):
            committed = asked(places, ANSWER_S)
        starts = {place: committed[place] for place in places if committed[place] < ends[place]}
        offsets = sum(ends[place] - starts[place] for place in starts)
        return offsets if offsets > COUNTED else self._count(starts, ends)

    def _count(self, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> int:
        """Records between; the last offsets of a partition may hold none, only the marker of a transaction.

        Raises KafkaError; TimedOut after COUNTING_S: whoever asks again asks by another client.
        """
        if not starts:
            return 0
        loader = PartitionLoader(self._kafka, "lag")
        try:
            return sum(1 for _ in loader.between(starts, ends, COUNTING_S))
        finally:
            loader.close()

    def _records(self, topic: Topic) -> Iterator[Record]:
        loader = PartitionLoader(self._kafka)
        try:
            places = [Place(topic.name, number) for number in range(self._kafka.partition_count(topic))]
            for record in loader.load(places, LOAD_S):
                if record.value:
                    yield self._decoder.decode(topic, record.value)
        finally:
            loader.close()

    def _by_session(self, topic: Topic, wanted: frozenset[str]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for record in self._records(topic):
            session = getattr(record, "session_id", None)
            if session in wanted:
                found[session].append(record)
        return found

    def _rows(self, table: Table, column: str, session: str) -> Rows:
        where = f"FROM {table.name} WHERE session_id = {{session:String}}"
        asked = {"session": session}
        seen = self._clickhouse.query(f"SELECT * {where}", asked)
        [row] = self._clickhouse.query(f"SELECT uniqExact({column}) AS ids {where} SETTINGS final = 0", asked)
        return Rows(seen, int(row["ids"]))

    def forget(self, sessions: Iterable[str]) -> None:
        """Give back the room that sessions' objects take."""
        for session in sessions:
            for item in self._store.list(objects_folder(session)):
                self._store.delete(item.key)
