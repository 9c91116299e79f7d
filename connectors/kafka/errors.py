"""What can go wrong with Kafka, in our words. Client library errors are translated here, once.

::

    KafkaError                 .retryable says whether the same call may succeed later, .code is librdkafka's name
    ├── QueueFull              the local send queue is full: back-pressure, nothing was sent
    ├── RecordTooLarge         a dead letter
    ├── DeliveryFailed         Kafka did not take the record within the delivery time-out
    ├── Abort                  abort the transaction, then do its work again
    ├── Fatal                  this client is of no use any more: leave the process
    ├── OffsetOutOfRange       what should be read next has been deleted
    ├── NotMember              the group has given the partition to somebody else
    ├── TimedOut               no answer in time
    └── Misconfigured          topics or schemas are not what this release needs; the text names the remedy
"""

from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException

from connectors.host.logs import get_logger
from connectors.host.program import Leave
from connectors.kafka.metrics import OUT_OF_RANGE
from connectors.kafka.records import Place

log = get_logger(__name__)


class KafkaError(Exception):
    """Any failure of Kafka or the registry."""

    retryable = False

    def __init__(self, message: str, *, code: str = "", retryable: bool | None = None) -> None:
        super().__init__(message)
        self.code = code
        if retryable is not None:
            self.retryable = retryable


class QueueFull(KafkaError):
    """The local send queue is full; wait for deliveries and send again."""

    retryable = True


class RecordTooLarge(KafkaError):
    """No broker will ever take this record."""


class DeliveryFailed(KafkaError):
    """The record is not in the log, as far as anybody knows."""


class Abort(KafkaError):
    """The transaction has to be aborted; its work may be done again."""

    retryable = True


class Fatal(KafkaError, Leave):
    """The client has been fenced or is broken for good."""


class OffsetOutOfRange(KafkaError):
    """Retention has overtaken a reader: records were lost to it."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"the next offset of {place.topic}[{place.partition}] is out of range")
        self.place = place


class NotMember(KafkaError):
    """Refused, because this consumer does not hold the partition in the group's present generation."""


class TimedOut(KafkaError):
    """No answer within the time given."""

    retryable = True


class Misconfigured(KafkaError):
    """The cluster or registry does not hold what this release needs."""


# A client gets over these by itself: a broker is away, starting, or has just handed a partition to another.
_PASSING = frozenset(
    {
        LibraryError._TRANSPORT,
        LibraryError._ALL_BROKERS_DOWN,
        LibraryError._RESOLVE,
        LibraryError._WAIT_COORD,
        LibraryError.NETWORK_EXCEPTION,
        LibraryError.BROKER_NOT_AVAILABLE,
        LibraryError.LEADER_NOT_AVAILABLE,
        LibraryError.NOT_LEADER_FOR_PARTITION,
        LibraryError.FENCED_LEADER_EPOCH,
        LibraryError.UNKNOWN_LEADER_EPOCH,
        LibraryError.KAFKA_STORAGE_ERROR,
        LibraryError.OFFSET_NOT_AVAILABLE,
        LibraryError.COORDINATOR_LOAD_IN_PROGRESS,
        LibraryError.COORDINATOR_NOT_AVAILABLE,
        LibraryError.NOT_COORDINATOR,
        LibraryError.NOT_ENOUGH_REPLICAS,
    }
)
# A topic made a moment ago is not known everywhere yet; one that was never made looks the same.
_WORTH_ANOTHER_TRY = _PASSING | {
    LibraryError.UNKNOWN_TOPIC_OR_PART,
    LibraryError._UNKNOWN_TOPIC,
    LibraryError._NOENT,  # an admin client that knows of no leaders, right after a restart
}

_KINDS: dict[int, type[KafkaError]] = {
    LibraryError._QUEUE_FULL: QueueFull,
    LibraryError.MSG_SIZE_TOO_LARGE: RecordTooLarge,
    LibraryError.RECORD_LIST_TOO_LARGE: RecordTooLarge,
    LibraryError._FATAL: Fatal,
    LibraryError._FENCED: Fatal,
    LibraryError.PRODUCER_FENCED: Fatal,
    LibraryError.FENCED_INSTANCE_ID: Fatal,
    LibraryError.ILLEGAL_GENERATION: NotMember,
    LibraryError.UNKNOWN_MEMBER_ID: NotMember,
    LibraryError.REBALANCE_IN_PROGRESS: NotMember,
    LibraryError.STALE_MEMBER_EPOCH: NotMember,
    LibraryError._ASSIGNMENT_LOST: NotMember,
}

_HINT = "; for brokers without KIP-848 set RTMS_KAFKA_GROUP_PROTOCOL=classic"

_TIMEOUTS = frozenset({LibraryError._TIMED_OUT, LibraryError._TIMED_OUT_QUEUE, LibraryError.REQUEST_TIMED_OUT})


def translate(failure: LibraryError | KafkaException, otherwise: type[KafkaError] = KafkaError) -> KafkaError:
    """Our error for the library's; `otherwise` is used where the code alone does not say which it is."""
    error = failure.args[0] if isinstance(failure, KafkaException) and failure.args else failure
    if not isinstance(error, LibraryError):
        return otherwise(str(failure))
    if error.fatal():
        kind: type[KafkaError] = Fatal
    elif error.txn_requires_abort():
        kind = Abort
    elif error.code() in _TIMEOUTS:
        kind = TimedOut if otherwise is KafkaError else otherwise
    else:
        kind = _KINDS.get(error.code(), otherwise)
    again = error.retriable() or (kind is otherwise and error.code() in _WORTH_ANOTHER_TRY)
    text = error.str() + (_HINT if "ConsumerGroupHeartbeat" in error.str() else "")
    return kind(text, code=error.name(), retryable=kind.retryable or again)


def overtaken(place: Place) -> OffsetOutOfRange:
    """That retention has overtaken a reader there, counted."""
    OUT_OF_RANGE.labels(place.topic).inc()
    return OffsetOutOfRange(place)


def raise_for(error: LibraryError, place: Place) -> None:
    """Raise what a reader's error event stands for, unless it passes by itself when a broker is back."""
    if error.code() == LibraryError._AUTO_OFFSET_RESET:
        raise overtaken(place)
    if error.code() == LibraryError._MAX_POLL_EXCEEDED:
        log.warning("member was away too long", max_poll=error.str())  # it rejoins, after its listener's on_lost
    elif not error.retriable() and error.code() not in _PASSING:
        raise translate(error)
