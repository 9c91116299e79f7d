"""Group members: who reads which partitions is the group's business, from which offset is the caller's.

Two kinds, held to one suite. Dynamic members use KIP-848 (nothing moves in a broker outage, a join costs 0.4 s) or the
classic protocol where the broker lacks it. Static members (`instance_id`, a name that survives a restart) are always
classic: under KIP-848 a static member that was killed cannot come back before its time-out.

Nothing is committed or reset by itself. All callbacks run inside `consume`, so call it often, from one thread. What a
broker that is away cannot tell at an assignment is asked for again by the next calls: nothing waits inside a callback.
A dynamic member whose library has broken (its group is unknown after an outage, say) joins anew by itself.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer as LibraryConsumer
from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException, Message, TopicPartition

from connectors.host.clock import SystemClock
from connectors.host.logs import get_logger
from connectors.kafka import lag
from connectors.kafka.brokers import give_back
from connectors.kafka.connection import LIBRARY_LOG, Connection
from connectors.kafka.errors import Fatal, KafkaError, NotMember, OffsetOutOfRange, overtaken, raise_for, translate
from connectors.kafka.group_config import group_config
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import BEGINNING, Offsets, Place, Record, library_offsets, places, record_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.stranded import LOOK_S, LOST, Lookout, shown
from schemas.topics import Topic

log = get_logger(__name__)

LAG_S = 1.0
"""How often a member says how far it is behind."""

ASK_S = 2.0
"""For an answer about offsets; asked again by the next call."""

Membership = object
"""What proves to the broker that a transaction's offsets come from the member that holds the partitions."""


class Listener:
    """What happens to a member; override what concerns you. Partitions come and go incrementally."""

    def on_assigned(self, starts: dict[Place, int]) -> Mapping[Place, int] | None:
        """These were added, to be read from the committed offset or the first. Return offsets to read from others.

        A `KafkaError` that passes (`retryable`) makes the member ask again a little later.
        """
        return None

    def on_revoked(self, revoked: list[Place]) -> None:
        """These go to another member once this returns: finish, flush, commit, within about 2 s."""

    def on_lost(self, lost: list[Place]) -> None:
        """These may be somebody else's by now: write nothing more for them."""


class GroupConsumer:
    """One member of a group."""

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        topics: Sequence[Topic],
        listener: Listener | None = None,
        instance_id: str | None = None,
    ) -> None:
        self._group = group
        self._topics = [topic.name for topic in topics]
        self._is_dynamic = instance_id is None
        self._listener = listener or Listener()
        self._connection = Connection(f"consumer-{group}")
        self._directory = OffsetDirectory(settings)
        self._arriving: set[Place] = set()
        self._overtaken: set[Place] = set()
        self._is_waiting = False
        self._positions: dict[Place, int] = {}
        self._errors: deque[KafkaError] = deque()
        self._membership: Membership | None = None
        self._broken: Fatal | None = None
        self._resting: dict[Place, float] = {}
        self._observed_at_s = 0.0
        self._clock = SystemClock()
        self._brokers = settings.bootstrap_servers
        watching = shown(LOOK_S, Lookout(f"consumer-{group}", self._rescue).look, self._connection.look)
        self._config = group_config(settings, group, instance_id) | self._connection.config() | watching
        self._library = self._joining()

    def consume(self, max_records: int = 500, wait_s: float = 0.1, linger_s: float = 0.0) -> list[Record]:
        """What is there: waits up to `wait_s` for the first record, then up to `linger_s` for the batch to fill.

        Raises:
            OffsetOutOfRange: retention was faster; `seek` to go on.
            Fatal: leave the process: a static member was fenced, or its listener cannot take something over.
            KafkaError: anything else that does not pass by itself, also what a listener's Kafka call raised.
        """
        try:
            records = self._consumed(max_records, wait_s, linger_s)
        except Fatal as error:
            if not self._survives(error):
                raise
            self._join_anew(error)
            return []
        self._observe()
        return records

    def _observe(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._observed_at_s >= LAG_S:
            self._observed_at_s = now_s
            ends = {place: self._end(place) for place in self._positions}
            lag.observe(self._topics, lag.behind(self._positions, ends))

    def _end(self, place: Place) -> int:
        """A partition's end as of the last fetch, 0 where that is not known."""
        try:
            return self._library.get_watermark_offsets(TopicPartition(*place), cached=True)[1]
        except KafkaException:
            return 0

    def _consumed(self, max_records: int, wait_s: float, linger_s: float) -> list[Record]:
        self._raise_pending()
        self._wake()
        try:
            first = self._library.poll(wait_s)
        except KafkaException as failure:
            raise translate(failure) from failure
        self._settle()
        if first is None:
            return []
        records: list[Record] = []
        for message in (first, *self._more(max_records - 1, linger_s)):
            try:
                self._take(message, records)
            except KafkaError as error:  # the records before it must not be lost with it
                self._errors.append(error)
        return records

    def _more(self, max_records: int, linger_s: float) -> list[Message]:
        """What is there besides the first; an error has to wait, or the first would be lost with it."""
        try:
            return self._library.consume(max_records, linger_s) if max_records else []
        except KafkaException as failure:
            self._errors.append(translate(failure))
        except KafkaError as error:
            self._errors.append(error)
        return []

    def commit(self, offsets: Offsets) -> None:
        """Commit and wait for the answer. Raises NotMember when the partitions are no longer ours, else KafkaError."""
        if not offsets:
            return
        try:
            answers = self._library.commit(offsets=library_offsets(offsets), asynchronous=False)
        except KafkaException as failure:
            error = translate(failure)
            if not self._survives(error):
                raise error from failure
            self._errors.append(error)  # the library says it once; the next call of consume has to know
            raise NotMember(str(error), code=error.code) from failure
        for answer in answers or ():
            if answer.error is not None:
                raise translate(answer.error)

    def seek(self, place: Place, offset: int) -> None:
        """Go on reading `place` at `offset` (or BEGINNING)."""
        target = [TopicPartition(place.topic, place.partition, offset)]
        try:
            self._library.seek(target[0])
        except KafkaException as error:
            if error.args[0].code() != LibraryError._STATE:
                raise translate(error) from error
            # An offset out of range has stopped the partition, and what is stopped can only be begun anew.
            self._library.incremental_unassign(target)
            self._library.incremental_assign(target)
        self._positions[place] = max(0, offset)
        if place in self._overtaken:
            self._overtaken.discard(place)
            self.resume([place])

    def pause(self, paused: Sequence[Place]) -> None:
        """Return nothing more of these until `resume` or until they were taken away and come back.

        Call `consume` all the same: that is what keeps one a member.
        """
        self._library.pause([TopicPartition(*place) for place in paused])

    def resume(self, resumed: Sequence[Place]) -> None:
        """Undo `pause`."""
        self._library.resume([TopicPartition(*place) for place in resumed if place not in self._overtaken])

    def put_back(self, offsets: Offsets, rest_s: float) -> None:
        """As if nothing had been read from these offsets on; it is read again after `rest_s`."""
        due = self._clock.monotonic() + rest_s
        for place, offset in offsets.items():
            if place in self._positions:
                self.pause([place])
                self.seek(place, offset)
                self._resting[place] = due

    def assignment(self) -> frozenset[Place]:
        """The partitions held."""
        return frozenset(self._positions)

    def position(self, place: Place) -> int:
        """The offset after what was last returned (or is known to hold no record)."""
        return self._positions[place]

    def ends(self, timeout_s: float = 10.0) -> dict[Place, int]:
        """Where the partitions held end now (high watermark)."""
        return self._directory.ends(self._positions, timeout_s)

    @property
    def membership(self) -> Membership | None:
        """As of the last assignment, never later: so a transaction of a member that was replaced is refused."""
        return self._membership

    @property
    def connection(self) -> Connection:
        """Whether brokers are reached."""
        return self._connection

    def close(self) -> None:
        """Leave the group (a static member keeps its place for a session); `on_revoked` is called first."""
        self._library.close()

    def _wake(self) -> None:
        now = self._clock.monotonic()
        for place in [place for place, due in self._resting.items() if now >= due]:
            del self._resting[place]
            self.resume([place])

    def _raise_pending(self) -> None:
        if self._broken is not None:
            raise self._broken
        while self._errors:
            error = self._errors.popleft()
            if not isinstance(error, OffsetOutOfRange) or error.place in self._positions:
                raise error  # what has moved away since is its new owner's to seek

    def _take(self, message: Message, records: list[Record]) -> None:
        place = Place(message.topic() or "", message.partition() or 0)
        error = message.error()
        if error is None:
            if place in self._positions:
                records.append(record_of(message))
                self._positions[place] = records[-1].offset + 1
                self._connection.on_success()
        elif error.code() == LibraryError._PARTITION_EOF:
            if place in self._positions:
                self._positions[place] = max(self._positions[place], message.offset() or 0)
                self._connection.on_success()
        else:
            raise_for(error, place)

    def _on_assign(self, _library: LibraryConsumer, added: list[TopicPartition]) -> None:
        """Take them without reading them yet: where to begin is asked for outside of this callback."""
        self._membership = self._library.consumer_group_metadata()
        arriving = places(added)
        self._arriving |= set(arriving)
        self._library.incremental_assign(library_offsets(dict.fromkeys(arriving, BEGINNING)))
        self._library.pause(added)

    def _settle(self) -> None:
        """Begin to read what has arrived, if it is known where."""
        if not self._arriving:
            return
        try:
            starts = self._starts(list(self._arriving))
            starts |= (self._listener.on_assigned(dict(starts)) or {}) if starts else {}
            for place, offset in starts.items():
                self.seek(place, offset)
            self._find_overtaken(starts)
        except Exception as error:
            if isinstance(error, KafkaError) and error.retryable:
                self._wait_for_starts(error)
                return
            # Somebody has to read these partitions, and it will not be this member.
            self._broken = Fatal(f"an assignment failed ({type(error).__name__})", code=getattr(error, "code", ""))
            raise self._broken from error
        self._arriving -= starts.keys()
        self._is_waiting = False
        if not starts:  # pending transactions of a predecessor hide all of them
            return
        self.resume(list(starts))  # the library also remembers a pause from before they were taken away
        log.info("partitions assigned", group=self._group, added=len(starts), held=len(self._positions))

    def _find_overtaken(self, starts: Mapping[Place, int]) -> None:
        """What retention took before it was read, told without the library, which may begin behind it in silence.

        (An answer to its look-up of BEGINNING that comes after the seek makes it look that up again, and go there.)
        Such a partition stays paused until somebody says from where to go on (`seek`).
        """
        first = self._directory.starts(starts, ASK_S)
        found = {place for place, offset in starts.items() if 0 <= offset < first[place]}
        self._overtaken |= found
        self._errors.extend(overtaken(place) for place in sorted(found))

    def _wait_for_starts(self, error: KafkaError) -> None:
        """Said once, however long it lasts: the next call of `consume` asks again."""
        if not self._is_waiting:
            self._is_waiting = True
            log.warning("not known yet where to begin", group=self._group, code=error.code, reason=str(error))

    def _starts(self, arriving: list[Place]) -> dict[Place, int]:
        """The committed offsets; the first existing one where nothing was ever committed.

        Those for which a predecessor's transaction is still pending are left out.
        """
        try:
            committed = self._library.committed([TopicPartition(*place) for place in arriving], ASK_S)
        except KafkaException as failure:
            raise translate(failure) from failure
        known: dict[Place, int] = {}
        unknown: list[Place] = []
        for item in committed:
            place = Place(item.topic, item.partition)
            if item.error is None and item.offset >= 0:
                known[place] = item.offset
            elif item.error is None:
                unknown.append(place)
            elif not (error := translate(item.error)).retryable:
                raise error
        return known | self._directory.starts(unknown, ASK_S)

    def _rescue(self) -> None:
        """Called inside a poll of the library's client; where it cannot be mended, a new one joins, or we leave."""
        if not give_back(self._library, self._brokers):
            self._errors.append(Fatal("the client knows no broker any more", code=LOST))

    def _survives(self, error: KafkaError) -> bool:
        """Whether a new member can go on where this one broke; another process has taken a fenced one's place."""
        return isinstance(error, Fatal) and self._is_dynamic and self._broken is None

    def _joining(self) -> LibraryConsumer:
        library = LibraryConsumer(self._config, logger=LIBRARY_LOG)
        library.subscribe(self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)
        return library

    def _join_anew(self, error: KafkaError) -> None:
        log.warning("member broken, joining anew", group=self._group, code=error.code, reason=str(error))
        self._lose([*self._positions, *self._arriving])
        self._library.close()
        self._library = self._joining()

    def _on_revoke(self, _library: LibraryConsumer, gone: list[TopicPartition]) -> None:
        revoked = self._held(places(gone))
        try:
            self._listener.on_revoked(revoked)
        finally:  # they go whatever the listener says
            self._drop(places(gone))
        log.info("partitions revoked", group=self._group, revoked=len(revoked), held=len(self._positions))

    def _on_lost(self, _library: LibraryConsumer, gone: list[TopicPartition]) -> None:
        self._lose(places(gone))

    def _lose(self, gone: list[Place]) -> None:
        lost = self._held(gone)
        self._drop(gone)
        self._listener.on_lost(lost)
        log.warning("partitions lost", group=self._group, lost=len(lost), held=len(self._positions))

    def _held(self, gone: list[Place]) -> list[Place]:
        """Those of them that the listener knows of."""
        return [place for place in gone if place in self._positions]

    def _drop(self, gone: list[Place]) -> None:
        for place in gone:
            self._arriving.discard(place)
            self._overtaken.discard(place)
            self._positions.pop(place, None)
            self._resting.pop(place, None)


def create_consumer(
    settings: KafkaSettings,
    *,
    group: str,
    topics: Sequence[Topic],
    listener: Listener | None = None,
    instance_id: str | None = None,
) -> GroupConsumer:
    """A subscribed group member; close it."""
    return GroupConsumer(settings, group, topics, listener, instance_id)
