"""The objects sink's loop: read, store in threads, commit what is stored. One thread calls Kafka's consumer.

A partition in trouble (store away, a recording being finished) is paused while the others go on; membership never
suffers, because the loop never waits for a thread.

Of a session whose data is deleted nothing is stored, and nothing stays stored. Whether it is, is asked before and after
each write: `connectors.kafka.deletions` says why that is enough.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import get_ident

from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.waiting import Waiting
from connectors.kafka.consumer import GroupConsumer, Listener
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.decoder import Decoder
from connectors.kafka.deletions import CATCH_UP_S, Deleted, Deletions
from connectors.kafka.errors import Fatal, KafkaError, NotMember, OffsetOutOfRange
from connectors.kafka.losses import Losses, awaiting
from connectors.kafka.records import BEGINNING, Place, Record
from connectors.objects.errors import BadKey
from schemas.codec import Undecodable
from schemas.keys import keyed
from schemas.records import OutputKind, Segment
from schemas.sessions import Awaited
from schemas.topics import RECORDING_SEGMENTS
from sinks.objects import metrics
from sinks.objects.copying import Copies
from sinks.objects.lanes import Job, Lane
from sinks.objects.patience import Abandoned, Patience
from sinks.objects.settings import SinkObjectsSettings
from sinks.objects.storing import Storing

log = get_logger(__name__)

GROUP = "sink-objects"
NO_PARTITIONS = "no partitions assigned"
MAX_RECORDS = 32
NO_NAME = "no object can be named after it"
LAST_LOOK_S = 2.0
_ENDS = (OutputKind.END, OutputKind.TRACK_END)


@dataclass(frozen=True, slots=True)
class Connections:
    """What the loop itself talks to."""

    decoder: Decoder
    dead_letters: DeadLetters
    losses: Losses
    deletions: Deletions
    copies: Copies


@dataclass(eq=False, slots=True)
class Partition:
    """A partition held: its book-keeping, and what runs for each of its jobs."""

    patience: Patience
    lane: Lane
    running: "dict[Job, Future[Segment | None]]" = field(default_factory=dict)
    ends: dict[Job, Segment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A partition that retention was faster on: read on when `stated` is done."""

    patience: Patience
    stated: "Future[int]"


@dataclass(frozen=True, slots=True)
class Erasing:
    """A deleted session whose objects are being erased, or were."""

    partition: int
    patience: Patience
    erased: "Future[None]"


class ObjectsSink(Listener):
    """The listener of its own consumer: `attach` that, call `step` until it is time to stop, then `close`."""

    def __init__(self, storing: Storing, to: Connections, settings: SinkObjectsSettings, health: Health) -> None:
        self._storing = storing
        self._to = to
        self._settings = settings
        self._health = health
        self._consumer: GroupConsumer | None = None
        self._partitions: dict[Place, Partition] = {}
        self._overtaken: dict[Place, Overtaken] = {}
        self._erasing: dict[str, Erasing] = {}
        self._uncommitted: dict[Place, int] = {}
        self._is_behind = False
        self._storage = Waiting("storage", health)
        health.ready(False, NO_PARTITIONS, "assignment")
        self._uploads = ThreadPoolExecutor(settings.uploads, thread_name_prefix="upload")
        # What only the registry can explain holds a thread while that is away: none of those that all others need.
        self._unexplained = ThreadPoolExecutor(settings.uploads, thread_name_prefix="unexplained")
        self._movies = ThreadPoolExecutor(settings.movies, thread_name_prefix="movie")

    def attach(self, consumer: GroupConsumer) -> None:
        self._consumer = consumer

    def step(self) -> None:
        """One round. Raises Fatal, and whatever a thread met that is a fault of ours."""
        assert self._consumer is not None
        self._catch_up(self._consumer)
        for record in self._read(self._consumer):
            self._take(record)
        self._health.ready(bool(self._consumer.assignment()), NO_PARTITIONS, "assignment")
        self._erase_what_is_due(self._consumer)
        self._to.copies.step({place.partition for place in self._consumer.assignment()})
        self._commit(list(self._partitions))
        for place, partition in self._partitions.items():
            self._pace(self._consumer, place, partition)
        metrics.HELD_BYTES.set(sum(partition.lane.held_bytes for partition in self._partitions.values()))
        metrics.PAUSED.set(sum(partition.lane.is_paused for partition in self._partitions.values()))
        self._health.beat()

    def on_revoked(self, revoked: list[Place]) -> None:
        mine = [place for place in revoked if place in self._partitions]
        try:
            self._commit(mine)
        finally:
            self._drop(revoked)

    def on_lost(self, lost: list[Place]) -> None:
        self._drop(lost)

    def close(self) -> None:
        """Abandon what is under way; nothing of it is committed, so it is done again."""
        erasing = {Place(RECORDING_SEGMENTS.name, one.partition) for one in self._erasing.values()}
        self._drop(list({*self._partitions, *self._overtaken, *erasing}))
        self._uploads.shutdown(cancel_futures=True)
        self._unexplained.shutdown(cancel_futures=True)
        self._movies.shutdown(cancel_futures=True)
        self._to.copies.close()

    def _read(self, consumer: GroupConsumer) -> list[Record]:
        try:
            return consumer.consume(MAX_RECORDS)
        except OffsetOutOfRange as error:
            metrics.LOST.inc()
            self._overtaken[error.place] = self._overtake(error.place)
        except KafkaError as error:
            if isinstance(error, Fatal):
                raise
            log.warning("reading failed, trying again", reason=str(error))
        return []

    def _overtake(self, place: Place) -> Overtaken:
        """State the loss in a thread: recordings will be incomplete."""
        patience = Patience(self._settings, self._on_trouble)
        state = lambda: self._to.losses.state(place, awaiting(Awaited.RECORDING))  # noqa: E731
        return Overtaken(patience, self._uploads.submit(patience.until_done, "loss", state))

    def _catch_up(self, consumer: GroupConsumer) -> None:
        """Read on what is left where the loss is stated."""
        for place in [place for place, overtaken in self._overtaken.items() if overtaken.stated.done()]:
            self._overtaken.pop(place).stated.result()
            consumer.seek(place, BEGINNING)

    def _erase_what_is_due(self, consumer: GroupConsumer) -> None:
        """Begin with what nobody has said of that it is erased; what is done is forgotten when that is known."""
        held = {place.partition for place in consumer.assignment()}
        due = {one.session_id: one for one in self._to.deletions.unfinished((self._storing.part,), held)}
        metrics.UNERASED.set(len(due))
        done = [key for key, one in self._erasing.items() if one.erased.done()]
        for session_id in done:
            self._erasing[session_id].erased.result()
            if session_id not in due:
                del self._erasing[session_id]
        for session_id in due.keys() - self._erasing.keys():
            patience, deleted = Patience(self._settings, self._on_trouble), due[session_id]
            work = self._uploads.submit(self._storing.erase, deleted, patience)
            self._erasing[session_id] = Erasing(deleted.partition, patience, work)

    def _take(self, record: Record) -> None:
        partition = self._partitions.get(record.place)
        if partition is None:
            patience = Patience(self._settings, self._on_trouble)
            partition = self._partitions[record.place] = Partition(patience, Lane(self._settings.held_bytes))
        job = partition.lane.add(Job(record.offset, len(record.value or b"")))
        threads = self._uploads if self._to.decoder.knows(record.value or b"") else self._unexplained
        partition.running[job] = threads.submit(self._handle, record, partition.patience)

    def _handle(self, record: Record, patience: Patience) -> Segment | None:
        """In a thread: store a segment; an end is returned, to be dealt with when everything before it is stored."""
        try:
            segment = self._decoded(record, patience)
            metrics.RECORDS.labels(segment.kind).inc()
            if deleted := self._deleted(segment):
                metrics.ERASED.inc()
                self._storing.forget(segment, deleted, patience)
                return None
            if segment.kind in (OutputKind.ITEM, OutputKind.TRACK):
                self._written(segment, patience, partial(self._storing.store, segment, patience))
            elif segment.kind in _ENDS:
                self._storing.check(segment)
        except (Undecodable, BadKey) as error:
            metrics.REFUSED.inc()
            reason = error.reason if isinstance(error, Undecodable) else NO_NAME
            patience.until_done("dead letter", lambda: self._refuse(record, reason))
            return None
        return segment if segment.kind in _ENDS else None

    def _finish(self, end: Segment, partition: int, patience: Patience) -> None:
        is_deleted = lambda: self._to.deletions.is_whole(end.session_id)  # noqa: E731
        self._written(end, patience, partial(self._storing.finish, end, partition, patience, is_deleted))

    def _written(self, segment: Segment, patience: Patience, write: Callable[[], None]) -> None:
        """Write what becomes of it, and remove that if it is deleted by then; see `connectors.kafka.deletions`."""
        try:
            write()
            self._forget_if_deleted(segment, patience, CATCH_UP_S)
        except Abandoned:
            # Who has the partition now may have erased the session before our write was there. Nobody abandons this
            # look but its first failure: it may be the last that this process does.
            last = Patience(self._settings, lambda _: last.abandon())
            with suppress(Abandoned):
                self._forget_if_deleted(segment, last, LAST_LOOK_S)
            raise

    def _forget_if_deleted(self, segment: Segment, patience: Patience, timeout_s: float) -> None:
        ask = lambda: self._to.deletions.by_now([segment.session_id], timeout_s)  # noqa: E731
        if patience.until_done("deletion", ask) and (deleted := self._deleted(segment)):
            self._storing.forget(segment, deleted, patience)

    def _deleted(self, segment: Segment) -> Deleted | None:
        """The deletion of all data that the segment falls under, as far as is known."""
        deleted = self._to.deletions.get(segment.session_id)
        return deleted if deleted is not None and deleted.is_whole else None

    def _decoded(self, record: Record, patience: Patience) -> Segment:
        segment = self._to.decoder.decode_patiently(RECORDING_SEGMENTS, record.value or b"", patience.wait)
        patience.check()
        if not isinstance(segment, Segment):
            raise Undecodable("not a segment")
        return keyed(record.key, segment)

    def _refuse(self, record: Record, reason: str) -> None:
        letter = self._to.dead_letters.refuse(record, reason)
        letter.result()

    def _settled(self, place: Place) -> int | None:
        """Take note of what the threads have done and start what waited for it; the offset to commit, if any."""
        partition = self._partitions[place]
        for job in [job for job, future in partition.running.items() if future.done()]:
            end = partition.running.pop(job).result()
            if end is not None and not job.is_started:
                job.is_end, partition.ends[job] = True, end
            else:
                partition.lane.done(job)
        if job_of_end := partition.lane.startable_end():
            end = partition.ends.pop(job_of_end)
            partition.running[job_of_end] = self._movies.submit(self._finish, end, place.partition, partition.patience)
        return partition.lane.settle()

    def _commit(self, places: list[Place]) -> None:
        """Commit what these have settled, now or since the last time that it failed."""
        assert self._consumer is not None
        for place in places:
            if (offset := self._settled(place)) is not None:
                self._uncommitted[place] = offset
        offsets = {place: self._uncommitted[place] for place in places if place in self._uncommitted}
        try:
            self._consumer.commit(offsets)
        except NotMember:
            log.info("commit refused: another member goes on")
        except KafkaError as error:
            if isinstance(error, Fatal):
                raise
            self._on_commit(str(error))
            return
        self._on_commit(None)
        for place in offsets:
            del self._uncommitted[place]

    def _on_commit(self, failure: str | None) -> None:
        """Said once, however often it is tried: without it the last records of a quiet night would seem unread."""
        if failure is not None and not self._is_behind:
            log.warning("commit failed, trying again", reason=failure)
        self._is_behind = failure is not None

    def _pace(self, consumer: GroupConsumer, place: Place, partition: Partition) -> None:
        should_pause = partition.lane.should_pause
        if should_pause != partition.lane.is_paused:
            (consumer.pause if should_pause else consumer.resume)([place])
            partition.lane.is_paused = should_pause

    def _drop(self, gone: list[Place]) -> None:
        for place in gone:
            if overtaken := self._overtaken.pop(place, None):
                overtaken.patience.abandon()
            for session_id in [key for key, one in self._erasing.items() if one.partition == place.partition]:
                self._erasing.pop(session_id).patience.abandon()
            self._uncommitted.pop(place, None)
            if partition := self._partitions.pop(place, None):
                partition.patience.abandon()
                for future in partition.running.values():
                    future.cancel()

    def _on_trouble(self, what: str | None) -> None:
        """Of the thread that says it, which tries one thing at a time."""
        if what is None:
            self._storage.end(get_ident())
        else:
            self._storage.begin(get_ident(), what)
