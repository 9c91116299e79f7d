"""Copies finished recordings into customers' own buckets, and says in the log what came of it.

What is to be done stands in the sessions' states: a recording that is stored and is to be copied, also when its session
does not wait for that any more. So a successor finds it there too, and copies once more what nobody has said of: to put
the same under the same name changes nothing.
Nobody waits for a bucket: a session's partition goes on, and what waits for its next attempt holds no thread.
"""

import threading
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.host.secrets import SecretsError
from connectors.kafka.credentials import Credentials
from connectors.kafka.errors import KafkaError
from connectors.kafka.records import Record
from connectors.objects.customers import CopyFailed, CustomerBucket, Surroundings, Why
from connectors.objects.errors import ObjectsError
from connectors.webhooks.targets import TargetPolicy
from schemas import recordings
from schemas.credentials import StorageAccess, storage_access
from schemas.records import AppSession, CredentialKind, FactKind, SessionFact, Stored
from schemas.settings import readable
from schemas.topics import SESSION_FACTS
from sinks.objects import metrics
from sinks.objects.finishing import SOURCE
from sinks.objects.patience import Abandoned, Patience
from sinks.objects.settings import SinkObjectsSettings
from sinks.objects.storing import Destinations

log = get_logger(__name__)

CATCH_UP_S = 2.0
CONTENT_TYPES = {"mp4": "video/mp4", "mp3": "audio/mpeg"}


class Due(NamedTuple):
    """A copy that is to be made: of the object `key`, for a project, into a bucket of its customer's."""

    session_id: str
    project_id: str
    partition: int
    recording: Stored
    bucket: str
    name: str

    @classmethod
    def of(cls, state: AppSession, partition: int) -> "Due | None":
        """What a session's state asks for, if anything."""
        recording = recordings.whole(state) if recordings.is_to_be_copied(state) else None
        settings = readable(state.settings)
        if recording is None or not recording.key or not settings.copy_bucket:
            return None
        name = settings.copy_name or f"{state.session_id}.{_ending(recording)}"
        return cls(state.session_id, state.project_id, partition, recording, settings.copy_bucket, name)


@dataclass(slots=True)
class _Trying:
    """How far it is with one copy."""

    patience: Patience
    since_s: float = 0.0
    attempts: int = 0
    next_s: float = 0.0
    running: "Future[bool] | None" = None
    is_settled: bool = False
    is_abandoned: bool = False


@dataclass(frozen=True, slots=True)
class Connections:
    """What copies are made with."""

    to: Destinations
    credentials: Credentials
    policy: TargetPolicy
    clock: Clock


class Copying:
    """One attempt at a copy, in a thread."""

    def __init__(self, connections: Connections, settings: SinkObjectsSettings) -> None:
        self._via, self._settings = connections, settings

    def attempt(self, due: Due, number: int, waited_s: float, patience: Patience) -> bool:
        """Whether all is said of it now; false: try again later. Raises Abandoned."""
        try:
            self._copy(due, patience)
        except CopyFailed as error:
            metrics.COPIES.labels(error.why).inc()
            log.warning("recording not copied", session_id=due.session_id, attempt=number, reason=str(error))
            is_over = waited_s >= self._settings.copy_patience_s
            if is_over or (not error.is_passing and number >= self._settings.attempts):
                self._say(due, FactKind.RECORDING_COPY_FAILED, patience, reason=str(error.why))
                return True
            return False
        metrics.COPIES.labels("copied").inc()
        key, size_bytes = f"{due.bucket}/{due.name}", due.recording.size_bytes
        self._say(due, FactKind.RECORDING_COPIED, patience, stored=Stored(key=key, size_bytes=size_bytes))
        log.info("recording copied", session_id=due.session_id)
        return True

    def _copy(self, due: Due, patience: Patience) -> None:
        access, key = self._access(due.project_id), due.recording.key or ""
        bucket = CustomerBucket(access, due.bucket, self._via.policy, Surroundings(self._via.clock, patience.check))
        try:  # what a storage of somebody's does must end no process of ours
            size_bytes = self._via.to.store.stat(key).size_bytes
            pieces = self._via.to.store.stream(key, 0, size_bytes)
            bucket.put(due.name, pieces, size_bytes, CONTENT_TYPES[_ending(due.recording)])
        except ObjectsError as error:  # ours, which is no fault of theirs: waited for like theirs
            log.warning("recording cannot be read", session_id=due.session_id, reason=str(error))
            raise CopyFailed(Why.UNAVAILABLE) from None
        except (CopyFailed, Abandoned):
            raise
        except Exception as error:
            log.error("a copy broke", session_id=due.session_id, exc_info=error)
            raise CopyFailed(Why.BROKE) from None

    def _access(self, project_id: str) -> StorageAccess:
        credentials, kind = self._via.credentials, CredentialKind.EXTERNAL_MEDIA_STORAGE
        found = credentials.get(project_id, kind)
        if found is None and credentials.catch_up_blocking(CATCH_UP_S):  # it may have been given just now
            found = credentials.get(project_id, kind)
        if found is None:
            raise CopyFailed(Why.CREDENTIALS_NOT_FOUND)
        try:
            return storage_access(found, credentials.secret(found))
        except SecretsError:  # until this process, too, is started anew with the key that encrypted it
            log.error("a project's storage credential cannot be decrypted", project_id=project_id)
            raise CopyFailed(Why.CREDENTIALS_UNREADABLE) from None
        except ValueError:
            log.error("a project's storage credential cannot be read", project_id=project_id)
            raise CopyFailed(Why.CREDENTIALS_NOT_FOUND) from None

    def _say(
        self, due: Due, kind: FactKind, patience: Patience, *, reason: str | None = None, stored: Stored | None = None
    ) -> None:
        fact = SessionFact(session_id=due.session_id, kind=kind, source=SOURCE, reason=reason, stored=stored)
        value, key = self._via.to.codec.encode(SESSION_FACTS, fact), due.session_id.encode()
        send = partial(self._via.to.producer.send_blocking, SESSION_FACTS, key, value, due.partition)
        try:  # also when it is no longer our business: a copy that is there is to be known
            send()
        except KafkaError:
            patience.until_done("fact", send)


class Copies:
    """All that are due in the partitions of this process. `hear` in a view's thread, the rest in the service's."""

    def __init__(self, copying: Copying, credentials: Credentials, settings: SinkObjectsSettings, clock: Clock) -> None:
        self._copying, self._credentials, self._settings, self._clock = copying, credentials, settings, clock
        self._lock = threading.Lock()
        self._due: dict[str, Due] = {}
        self._trying: dict[str, _Trying] = {}
        self._threads = ThreadPoolExecutor(settings.copies, thread_name_prefix="copy")

    def hear(self, record: Record, state: AppSession | None) -> None:
        """A session's newest state; None: it is archived."""
        due = None if state is None else Due.of(state, record.partition)
        session_id = (record.key or b"").decode(errors="replace")
        with self._lock:
            self._due.pop(session_id, None)
            if due is not None:
                self._due[session_id] = due

    def step(self, held: Collection[int]) -> None:
        """Begin with what is due by now in these partitions. Raises whatever a thread met that is a fault of ours."""
        if not self._credentials.is_ready:
            return
        with self._lock:
            due = {key: one for key, one in self._due.items() if one.partition in held}
        self._settle(due.keys())
        running = Counter(due[key].project_id for key, one in self._trying.items() if one.running and key in due)
        for session_id, one in due.items():
            trying = self._trying.get(session_id) or self._new(session_id)
            is_waiting = trying.running is not None or trying.is_settled or trying.next_s > self._clock.monotonic()
            if is_waiting or running.total() >= self._settings.copies or running[one.project_id] >= self._most_of_one:
                continue
            running[one.project_id] += 1
            self._begin(one, trying)
        metrics.COPIES_DUE.set(len(due))

    def close(self) -> None:
        """Break off what is under way: a successor does it again."""
        for trying in self._trying.values():
            trying.patience.abandon()
        self._threads.shutdown(cancel_futures=True)

    @property
    def _most_of_one(self) -> int:
        """Threads that one project may hold: a bucket that hangs must not take everybody's."""
        return max(1, self._settings.copies // 2)

    def _new(self, session_id: str) -> _Trying:
        made = _Trying(Patience(self._settings, _unheard))
        self._trying[session_id] = made
        return made

    def _begin(self, due: Due, trying: _Trying) -> None:
        now_s = self._clock.monotonic()
        if not trying.attempts:  # what was queued before was no bucket's fault
            trying.since_s = now_s
        trying.attempts += 1
        waited_s = now_s - trying.since_s
        attempt = (due, trying.attempts, waited_s, trying.patience)
        trying.running = self._threads.submit(self._copying.attempt, *attempt)

    def _settle(self, due: Collection[str]) -> None:
        """Take note of what the threads have done, and leave what is no longer due here."""
        for session_id, trying in list(self._trying.items()):
            if session_id not in due:
                trying.is_abandoned = True
                trying.patience.abandon()
            if trying.running is not None and trying.running.done():
                self._note(trying, trying.running)
            if trying.running is None and (trying.is_abandoned or session_id not in due):
                del self._trying[session_id]  # what comes back meanwhile begins anew

    def _note(self, trying: _Trying, attempt: "Future[bool]") -> None:
        trying.running = None
        try:
            trying.is_settled = attempt.result()
        except Abandoned:
            return
        trying.next_s = self._clock.monotonic() + pause_s(self._settings, trying.attempts)


def pause_s(settings: SinkObjectsSettings, attempts: int) -> float:
    """How long to wait after so many attempts that failed."""
    return min(settings.copy_retry_s * 2.0 ** min(attempts - 1, 60), settings.longest_copy_retry_s)


def _ending(recording: Stored) -> str:
    return "mp3" if (recording.key or "").endswith(".mp3") else "mp4"


def _unheard(_what: str | None) -> None:
    """Trouble with a customer's bucket is no trouble of ours."""
