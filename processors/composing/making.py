"""Draws one recording, in a thread: reads what is stored, writes segments, then their end. The objects sink does the
rest: it stores them, makes the file, and states that it is there.

Whoever begins again draws what is not stored yet; the same segments have the same keys, so neither a crash nor a second
process makes anything twice.
"""

import threading
from dataclasses import dataclass

from connectors.host import traces
from connectors.host.logs import get_logger
from connectors.kafka.producer import Producer
from connectors.objects.errors import NotFound
from connectors.objects.store import ObjectStore
from processors.composing import metrics
from processors.composing.composition import Composition, Material
from processors.composing.due import Order
from processors.composing.pieces import Unreadable
from schemas import object_names, tracks
from schemas.codec import Codec
from schemas.keys import item_key
from schemas.object_names import StoredSegment
from schemas.records import FactKind, Segment, SessionFact
from schemas.topics import RECORDING_SEGMENTS, SESSION_FACTS

log = get_logger(__name__)

SOURCE = "processor-composing"


class Abandoned(Exception):
    """Nobody wants it any more, or somebody else makes it."""


class Undrawable(Exception):
    """There will be none; says why, in a short code."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What recordings are drawn with."""

    store: ObjectStore
    producer: Producer
    codec: Codec


class Making:
    """One recording under way; `run` until it returns, `leave_off` for good and from any thread."""

    def __init__(self, tools: Tools, order: Order) -> None:
        self._tools, self._order = tools, order
        self._gone = threading.Event()
        self._headers: dict[str, bytes] = {}

    def leave_off(self) -> None:
        self._gone.set()

    def run(self) -> None:
        """Return when all of it is written, or that it cannot be. Raises KafkaError and ObjectsError: begin again
        later; Abandoned."""
        try:
            with traces.spanning(self._order.session_id, "compose recording", ""):
                self._draw()
        except NotFound:  # a bucket that is not there is away, like any store: then this raises it once more
            self._listed(tracks.RECORDING, 0)
            self.fail(tracks.SEGMENTS_MISSING)
        except (Undrawable, Unreadable) as error:
            self.fail("unreadable" if isinstance(error, Unreadable) else str(error))
        else:
            metrics.RECORDINGS.labels("written").inc()

    def fail(self, reason: str) -> None:
        """State that there will be none. Raises KafkaError."""
        order = self._order
        fact = SessionFact(
            session_id=order.session_id, kind=FactKind.RECORDING_COMPOSING_FAILED, source=SOURCE, reason=reason
        )
        value = self._tools.codec.encode(SESSION_FACTS, fact)
        self._tools.producer.send_blocking(SESSION_FACTS, order.session_id.encode(), value, order.partition)
        metrics.RECORDINGS.labels("failed").inc()
        log.warning("recording not composed", session_id=order.session_id, reason=reason)

    def _draw(self) -> None:
        order = self._order
        recording = self._listed(tracks.RECORDING, order.recording.count)
        film = self._listed(tracks.SHARE, order.film_count)
        stored = {segment.start_ms for segment in self._listed(tracks.COMPOSED, 0)}
        composition = Composition(order, Material(recording, film, self._fetched))
        for segment in composition.segments(lambda one: one.start_ms in stored):
            if segment is not None:
                self._write(segment)
                metrics.SEGMENTS.inc()
                metrics.MEDIA_SECONDS.inc(segment.duration_ms / 1000)
            self._check()
        self._write(composition.end())
        log.info("recording composed", session_id=order.session_id, segments=composition.count)

    def _listed(self, track: str, count: int) -> list[StoredSegment]:
        """The segments of the recording or a track. Raises Undrawable where fewer are there."""
        listing = self._tools.store.list(object_names.segments_prefix(self._order.session_id, track))
        segments = object_names.stored_segments((item.key, item.modified_ms) for item in listing)
        if len(segments) < count:
            raise Undrawable(tracks.SEGMENTS_MISSING)
        return segments

    def _fetched(self, segment: StoredSegment) -> tuple[bytes, bytes]:
        self._check()
        store = self._tools.store
        if segment.header not in self._headers:
            self._headers[segment.header] = store.get(object_names.header_key(self._order.session_id, segment.header))
        return self._headers[segment.header], store.get(segment.key)

    def _write(self, segment: Segment) -> None:
        value = self._tools.codec.encode(RECORDING_SEGMENTS, segment)
        key = item_key(segment.session_id, segment.segment_id)
        self._tools.producer.send_blocking(RECORDING_SEGMENTS, key, value, self._order.partition)

    def _check(self) -> None:
        if self._gone.is_set():
            raise Abandoned
