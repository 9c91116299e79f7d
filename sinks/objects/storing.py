"""Does the sink's work, each call in a thread of its own: stores a segment, finishes a recording, or erases one.

Both may be repeated at will and by several processes at once: what is written depends on the log alone.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from connectors.host import traces
from connectors.host.logs import get_logger
from connectors.kafka.deletions import Deleted
from connectors.kafka.producer import Producer
from connectors.objects.errors import BadKey, NotFound
from connectors.objects.keys import checked
from connectors.objects.store import ObjectStore, StoredObject
from schemas import object_names
from schemas.codec import Codec
from schemas.deletion import erased, found, objects_part
from schemas.keys import objects_folder
from schemas.object_names import StoredSegment
from schemas.records import FactKind, OutputKind, Segment, SessionFact, Stored
from schemas.topics import SESSION_FACTS
from sinks.objects import layout, metrics
from sinks.objects.movies import UnreadableRecording, write_movie
from sinks.objects.patience import Patience
from sinks.objects.scratch import capacity_bytes, scratch_file
from sinks.objects.settings import SinkObjectsSettings

log = get_logger(__name__)

SOURCE = "sink-objects"
KNOWN_HEADERS = 10_000


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where things go."""

    store: ObjectStore
    producer: Producer
    codec: Codec


class Storing:
    """Shared by all partitions of a process; `part` is what it erases of deleted data."""

    def __init__(self, to: Destinations, settings: SinkObjectsSettings) -> None:
        self._to = to
        self._settings = settings
        self.part = objects_part(settings.group_prefix)
        self._known_headers: dict[str, None] = {}
        self._lock = threading.Lock()

    def store(self, segment: Segment, patience: Patience) -> None:
        """Put the segment, and before it its header unless this process did so already. Raises Abandoned, BadKey."""
        header = object_names.header_key(segment.session_id, object_names.header_name(segment.init))
        if header not in self._known_headers:
            patience.until_done("header", lambda: self._to.store.put(header, segment.init, layout.MOVIE_TYPE))
            self._remember(header)
        key = object_names.segment_key(segment)
        with traces.spanning(segment.session_id, "store segment", key, size_bytes=len(segment.payload)):
            patience.until_done("segment", lambda: self._to.store.put(key, segment.payload, layout.SEGMENT_TYPE))
        metrics.SEGMENT_BYTES.inc(len(segment.payload))

    def forget(self, segment: Segment, patience: Patience) -> None:
        """Remove whatever became or may have become of a segment or an end. Raises Abandoned, BadKey."""
        session_id = segment.session_id
        if segment.kind is OutputKind.END:
            keys = object_names.movie_key(session_id), object_names.sound_key(session_id)
        else:
            header = object_names.header_name(segment.init)
            keys = object_names.segment_key(segment), object_names.header_key(session_id, header)
        for key in keys:
            patience.until_done("deletion", partial(self._to.store.delete, key))

    def erase(self, deleted: Deleted, patience: Patience) -> None:
        """Remove all objects of a session and say so in the log; the facts are acknowledged. Raises Abandoned."""
        listing = patience.until_done("deletion", lambda: self._listing(deleted.session_id))
        amount = Stored(count=len(listing), size_bytes=sum(item.size_bytes for item in listing))
        self._say(found(deleted.session_id, self.part, SOURCE, amount), deleted.partition, patience)
        for item in listing:
            patience.until_done("deletion", partial(self._to.store.delete, item.key))
        self._say(erased(deleted.session_id, self.part, SOURCE), deleted.partition, patience)
        metrics.DELETIONS.inc()
        log.info("objects erased", session_id=deleted.session_id, objects=len(listing))

    def _listing(self, session_id: str) -> list[StoredObject]:
        with suppress(BadKey):  # nothing can have been stored under such a name
            return self._to.store.list(objects_folder(session_id))
        return []

    @staticmethod
    def check(end: Segment) -> None:
        """Whether a recording of this session could be stored at all. Raises BadKey."""
        checked(object_names.movie_key(end.session_id))

    def finish(self, end: Segment, partition: int, patience: Patience) -> None:
        """Make the session's recording whole and say so in the log; the fact is acknowledged. Raises Abandoned."""
        with metrics.MOVIE_SECONDS.time(), traces.spanning(end.session_id, "finish recording", ""):
            fact = patience.until_done("recording", lambda: self._finished(end, patience))
        self._say(fact, partition, patience)
        metrics.MOVIES.labels(fact.kind).inc()
        log.info("recording finished", session_id=end.session_id, kind=fact.kind, reason=fact.reason)

    def _say(self, fact: SessionFact, partition: int, patience: Patience) -> None:
        value, key = self._to.codec.encode(SESSION_FACTS, fact), fact.session_id.encode()
        patience.until_done("fact", lambda: self._to.producer.send_blocking(SESSION_FACTS, key, value, partition))

    def _remember(self, header: str) -> None:
        with self._lock:
            self._known_headers[header] = None
            while len(self._known_headers) > KNOWN_HEADERS:
                del self._known_headers[next(iter(self._known_headers))]

    def _finished(self, end: Segment, patience: Patience) -> SessionFact:
        if not end.count:
            return _failed(end, "no_media")
        listing = self._to.store.list(object_names.segments_prefix(end.session_id))
        stored = object_names.stored_segments((item.key, item.modified_ms) for item in listing)
        if reason := layout.incompleteness(end, stored):
            return _failed(end, reason)
        capacity = capacity_bytes(self._settings.scratch_dir)
        if capacity and sum(item.size_bytes for item in listing) > capacity:
            return _failed(end, "scratch_too_small")  # waiting would hold up all other recordings for ever
        for attempt in range(1, self._settings.attempts + 1):
            try:
                return self._movie(end, stored, patience)
            except NotFound:  # deleted since it was listed, or its header was: waiting brings nothing back
                return _failed(end, "segments_missing")
            except UnreadableRecording as error:
                log.warning("recording not finished", session_id=end.session_id, attempt=attempt, reason=str(error))
        return _failed(end, "unreadable")

    def _movie(self, end: Segment, stored: Sequence[StoredSegment], patience: Patience) -> SessionFact:
        with scratch_file(self._settings.scratch_dir) as path:
            has_pictures = write_movie(self._pieces(end.session_id, stored, patience), path)
            key = (object_names.movie_key if has_pictures else object_names.sound_key)(end.session_id)
            size_bytes = path.stat().st_size
            self._to.store.put_file(key, path, layout.MOVIE_TYPE if has_pictures else layout.SOUND_TYPE)
        return SessionFact(
            session_id=end.session_id,
            kind=FactKind.RECORDING_STORED,
            source=SOURCE,
            stored=Stored(
                key=key, size_bytes=size_bytes, start_ms=end.start_ms, duration_ms=end.duration_ms, count=end.count
            ),
        )

    def _pieces(self, session_id: str, stored: Sequence[StoredSegment], patience: Patience) -> Iterator[bytes]:
        yield self._to.store.get(object_names.header_key(session_id, layout.main_header(stored)))
        for segment in stored:
            patience.check()
            yield self._to.store.get(segment.key)


def _failed(end: Segment, reason: str) -> SessionFact:
    return SessionFact(session_id=end.session_id, kind=FactKind.RECORDING_FAILED, source=SOURCE, reason=reason)
