"""What Zoom sent to one session and nobody can use, on its way to the dead letters. A letter that Kafka did not take is
sent again, as long as there are not too many: what Zoom sends must not fill this process.
"""

from collections import deque
from concurrent.futures import Future
from functools import partial

from connectors.host.logs import get_logger
from connectors.kafka.dead_letters import DeadLetters, Origin, letter_of
from connectors.kafka.errors import KafkaError
from ingest import metrics
from ingest.publisher import Identity
from schemas.excerpts import Excerpt
from schemas.records import DeadLetter

log = get_logger(__name__)

SOURCE = "zoom"
MAX_WAITING = 32
"""Letters that wait to be sent again, of at most 256 KiB each."""


class Letters:
    """Call it from the event loop; deliveries are reported from the producer's thread."""

    def __init__(self, letters: DeadLetters, identity: Identity) -> None:
        self._letters = letters
        self._identity = identity
        self._written = 0
        self._on_the_way: set[int] = set()
        self._failed: deque[DeadLetter] = deque()
        self._waiting: deque[DeadLetter] = deque()

    def put_aside(self, reason: str, excerpt: Excerpt) -> None:
        """Put one message aside. Its key is this claim and its number in it, which nothing else has."""
        metrics.REFUSED.labels(reason).inc()
        self._written += 1
        session_id, partition, epoch = self._identity.session_id, self._identity.partition, self._identity.epoch
        key = f"{session_id}/{epoch}/{self._written}".encode()
        self._waiting.append(letter_of(Origin(SOURCE, partition, self._written, key), reason, excerpt, session_id))
        self.send()

    def send(self) -> None:
        """Hand over to the producer what it has room for; what it could not deliver, once more."""
        while self._failed:
            self._waiting.append(self._failed.popleft())
        while self._waiting and self._handed_over(self._waiting[0]):
            self._waiting.popleft()
        while len(self._waiting) > MAX_WAITING:
            lost = self._waiting.popleft()
            metrics.LETTERS_LOST.inc()
            log.error("dead letter lost", session_id=lost.session_id, number=lost.offset, reason=lost.reason)

    @property
    def unsettled(self) -> int:
        """Letters that Kafka does not have yet."""
        return len(self._on_the_way) + len(self._failed) + len(self._waiting)

    def _handed_over(self, letter: DeadLetter) -> bool:
        self._on_the_way.add(letter.offset)
        try:
            future = self._letters.send_letter(letter)
        except KafkaError:
            self._on_the_way.discard(letter.offset)
            return False
        future.add_done_callback(partial(self._settle, letter))
        return True

    def _settle(self, letter: DeadLetter, future: "Future[int]") -> None:
        if future.exception() is not None:
            self._failed.append(letter)
        self._on_the_way.discard(letter.offset)
