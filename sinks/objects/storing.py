"""Does the sink's work, each call in a thread of its own: stores a segment, finishes a recording, or erases one.

Both may be repeated at will and by several processes at once: what is written depends on the log alone.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from connectors.host import traces
from connectors.host.logs import get_logger
from connectors.kafka.deletions import Deleted
from connectors.kafka.producer import Producer
from connectors.objects.errors import BadKey
from connectors.objects.keys import checked
from connectors.objects.store import ObjectStore, StoredObject
from schemas import object_names
from schemas.codec import Codec
from schemas.deletion import erased, found, objects_part
from schemas.keys import objects_folder
from schemas.records import OutputKind, Segment, SessionFact, Stored
from schemas.topics import SESSION_FACTS
from sinks.objects import layout, metrics
from sinks.objects.finishing import SOURCE, Finishing
from sinks.objects.patience import Patience
from sinks.objects.settings import SinkObjectsSettings

log = get_logger(__name__)

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
        self._finishing = Finishing(to.store, settings)
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

    def forget(self, segment: Segment, deleted: Deleted, patience: Patience) -> None:
        """Remove whatever became or may have become of a segment or an end. Raises Abandoned, BadKey.

        Until the session is erased, all that there is of it is counted first: whoever erases it may come too late to.
        """
        if self.part in deleted.missing:
            self._count(deleted, patience)
        session_id = segment.session_id
        if segment.kind in (OutputKind.END, OutputKind.TRACK_END):
            keys = [object_names.track_key(session_id, track.track) for track in segment.tracks]
            if segment.kind is OutputKind.END:
                keys += [object_names.movie_key(session_id), object_names.sound_key(session_id)]
        else:
            header = object_names.header_name(segment.init)
            keys = [object_names.segment_key(segment), object_names.header_key(session_id, header)]
        self._delete(session_id, keys, patience)

    def erase(self, deleted: Deleted, patience: Patience) -> None:
        """Remove all objects of a session and say so in the log; the facts are acknowledged. Raises Abandoned."""
        listing = self._count(deleted, patience)
        self._delete(deleted.session_id, [item.key for item in listing], patience)
        self._say(erased(deleted.session_id, self.part, SOURCE), deleted.partition, patience)
        metrics.DELETIONS.inc()
        log.info("objects erased", session_id=deleted.session_id, objects=len(listing))

    def _count(self, deleted: Deleted, patience: Patience) -> list[StoredObject]:
        """All objects of a session, stated as found; of none there is nothing to state."""
        listing = patience.until_done("deletion", lambda: self._listing(deleted.session_id))
        if listing:
            amount = Stored(count=len(listing), size_bytes=sum(item.size_bytes for item in listing))
            self._say(found(deleted.session_id, self.part, SOURCE, amount), deleted.partition, patience)
        return listing

    def _delete(self, session_id: str, keys: Sequence[str], patience: Patience) -> None:
        """These objects of a deleted session, and whatever of it killed writers have left."""
        with suppress(BadKey):  # nothing can have been stored under such a name
            patience.until_done("deletion", lambda: self._to.store.delete_unfinished(objects_folder(session_id)))
        for key in keys:
            patience.until_done("deletion", partial(self._to.store.delete, key))

    def _listing(self, session_id: str) -> list[StoredObject]:
        with suppress(BadKey):  # nothing can have been stored under such a name
            return self._to.store.list(objects_folder(session_id))
        return []

    @staticmethod
    def check(end: Segment) -> None:
        """Whether a recording of this session, and its tracks, could be stored at all. Raises BadKey."""
        checked(object_names.movie_key(end.session_id))
        for track in end.tracks:
            checked(object_names.track_key(end.session_id, track.track))

    def finish(self, end: Segment, partition: int, patience: Patience, is_deleted: Callable[[], bool]) -> None:
        """Make whole what has ended, the session's recording and its tracks or the composed one, and say so in the log;
        the fact is acknowledged.

        Of what `is_deleted` meanwhile not all is made, and the caller forgets it.

        Raises Abandoned.
        """
        with metrics.MOVIE_SECONDS.time(), traces.spanning(end.session_id, "finish recording", ""):
            fact = self._finishing.finished(end, patience, is_deleted)
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
