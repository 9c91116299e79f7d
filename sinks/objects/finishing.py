"""Makes whole files of what is stored of a session: its recording, and each of its tracks.

May be repeated at will and by several processes at once: what is written depends on the log alone.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from connectors.host.logs import get_logger
from connectors.objects.errors import NotFound, Unavailable
from connectors.objects.store import ObjectStore, StoredObject
from schemas import object_names
from schemas.object_names import StoredSegment
from schemas.records import FactKind, OutputKind, Segment, SessionFact, Stored, StoredTrack, TrackCount
from schemas.tracks import COMPOSED, NO_MEDIA, RECORDING, SEGMENTS_MISSING, Kind, kind
from sinks.objects import layout, metrics
from sinks.objects.fetching import in_order
from sinks.objects.movies import UnreadableRecording, write_movie
from sinks.objects.patience import Patience
from sinks.objects.scratch import capacity_bytes, scratch_file
from sinks.objects.settings import SinkObjectsSettings
from sinks.objects.track_files import write_film, write_sound

log = get_logger(__name__)

SOURCE = "sink-objects"


class Unfinished(Exception):
    """There will be no file; `reason` is a short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Finishing:
    """Shared by all partitions of a process."""

    def __init__(self, store: ObjectStore, settings: SinkObjectsSettings) -> None:
        self._store = store
        self._settings = settings

    def finished(self, end: Segment, patience: Patience, is_deleted: Callable[[], bool]) -> SessionFact:
        """The fact to state when the session's recording and all its tracks are made, or the composed recording is.
        Raises Abandoned.

        Once the session is deleted no further track is begun, nor spoken of.
        """
        if end.kind is OutputKind.TRACK_END:
            return self._composed(end, patience)
        fact = self._recording(end, patience)
        tracks = (self._track(end, track, patience) for track in end.tracks if not is_deleted())
        return replace(fact, tracks=tuple(tracks))

    def _recording(self, end: Segment, patience: Patience) -> SessionFact:
        fact = SessionFact(session_id=end.session_id, kind=FactKind.RECORDING_STORED, source=SOURCE, reason=end.reason)
        itself = TrackCount(track=RECORDING, count=end.count)
        try:
            stored = patience.until_done("recording", lambda: self._whole(end, itself, patience))
        except Unfinished as error:
            return replace(fact, kind=FactKind.RECORDING_FAILED, reason=error.reason)
        return replace(fact, stored=stored)

    def _composed(self, end: Segment, patience: Patience) -> SessionFact:
        fact = SessionFact(session_id=end.session_id, kind=FactKind.RECORDING_COMPOSED, source=SOURCE)
        itself = next((track for track in end.tracks if track.track == COMPOSED), TrackCount(track=COMPOSED, count=0))
        try:
            stored = patience.until_done("composed recording", lambda: self._whole(end, itself, patience))
        except Unfinished as error:
            return replace(fact, kind=FactKind.RECORDING_COMPOSING_FAILED, reason=error.reason)
        return replace(fact, stored=stored)

    def _track(self, end: Segment, track: TrackCount, patience: Patience) -> StoredTrack:
        try:
            stored = patience.until_done("track", lambda: self._whole(end, track, patience))
        except Unfinished as error:
            metrics.TRACKS.labels("failed").inc()
            log.warning("track not finished", session_id=end.session_id, reason=error.reason)
            return StoredTrack(track=track.track, reason=error.reason)
        metrics.TRACKS.labels("stored").inc()
        return StoredTrack(
            track=track.track,
            key=stored.key,
            size_bytes=stored.size_bytes,
            start_ms=stored.start_ms,
            duration_ms=stored.duration_ms,
            count=stored.count,
        )

    def _whole(self, end: Segment, track: TrackCount, patience: Patience) -> Stored:
        if not track.count:
            raise Unfinished(NO_MEDIA)
        listing, stored = self._listed(end, track)
        if track.track == COMPOSED:
            whole, others = self._listed(end, TrackCount(track=RECORDING, count=end.count))
            listing, stored = listing + whole, layout.overlaid(others, stored)
        if track.track != RECORDING and (made := self._made(end, track, max(item.modified_ms for item in listing))):
            return made
        capacity = capacity_bytes(self._settings.scratch_dir)
        if capacity and sum(item.size_bytes for item in listing) > capacity:
            raise Unfinished("scratch_too_small")  # waiting would hold up all other recordings for ever
        for attempt in range(1, self._settings.attempts + 1):
            try:
                return self._file(end, track, stored, patience)
            except NotFound:  # deleted since it was listed, or its header was: waiting brings nothing back
                raise Unfinished(SEGMENTS_MISSING) from None
            except UnreadableRecording as error:
                log.warning("recording not finished", session_id=end.session_id, attempt=attempt, reason=str(error))
        raise Unfinished("unreadable")

    def _listed(self, end: Segment, track: TrackCount) -> tuple[list[StoredObject], list[StoredSegment]]:
        """The segments of a track that is whole. Raises Unfinished, ObjectsError."""
        listing = self._store.list(object_names.segments_prefix(end.session_id, track.track))
        stored = object_names.stored_segments((item.key, item.modified_ms) for item in listing)
        if reason := layout.incompleteness(end, track, stored):
            raise Unfinished(reason)
        return listing, stored

    def _made(self, end: Segment, track: TrackCount, written_ms: int) -> Stored | None:
        """A track's file, where it is there already and newer than all of its segments.

        Whoever writes another end writes the segments before it again, so it is the file of this one.
        """
        try:
            found = self._store.stat(object_names.track_key(end.session_id, track.track))
        except NotFound:
            return None
        return _stored(end, track, found.key, found.size_bytes) if found.modified_ms > written_ms else None

    def _file(self, end: Segment, track: TrackCount, stored: Sequence[StoredSegment], patience: Patience) -> Stored:
        pieces = self._pieces(end.session_id, stored, patience)
        with scratch_file(self._settings.scratch_dir) as path, closing(pieces):
            key, media_type = _written(end, track.track, pieces, path)
            size_bytes = path.stat().st_size
            self._store.put_file(key, path, media_type)
            self._verify(key, size_bytes)
        return _stored(end, track, key, size_bytes)

    def _verify(self, key: str, size_bytes: int) -> None:
        """See that a file is there, whole, before anybody is told of it; else nobody must take it for one that is made.

        Raises ObjectsError: it is to be put again.
        """
        with suppress(NotFound):
            if self._store.stat(key).size_bytes == size_bytes:
                return
        self._store.delete(key)
        raise Unavailable(f"{key} is not there as it was written")

    def _pieces(self, session_id: str, stored: Sequence[StoredSegment], patience: Patience) -> Generator[bytes]:
        """A long meeting's are many thousands, of a few KB each where they are of a track."""
        keys = [object_names.header_key(session_id, layout.main_header(stored)), *(segment.key for segment in stored)]
        with closing(in_order(keys, self._store.get, self._settings.uploads)) as pieces:
            for piece in pieces:
                patience.check()
                yield piece


def _stored(end: Segment, track: TrackCount, key: str, size_bytes: int) -> Stored:
    return Stored(key=key, size_bytes=size_bytes, start_ms=end.start_ms, duration_ms=end.duration_ms, count=track.count)


def _written(end: Segment, track: str, pieces: Iterator[bytes], path: Path) -> tuple[str, str]:
    """Write the file of a track or of the recording itself; its key and its media type."""
    if track == RECORDING:
        if write_movie(pieces, path):
            return object_names.movie_key(end.session_id), layout.MOVIE_TYPE
        return object_names.sound_key(end.session_id), layout.SOUND_TYPE
    key = object_names.track_key(end.session_id, track)
    if kind(track) is Kind.COMPOSED:
        write_movie(pieces, path)
        return key, layout.MOVIE_TYPE
    if kind(track) is Kind.SHARE:
        write_film(pieces, path, end.duration_ms)
        return key, layout.MOVIE_TYPE
    write_sound(pieces, path, end.duration_ms)
    return key, layout.TRACK_TYPE
