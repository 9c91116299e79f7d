"""What Zoom sent to one session and nobody can use, on its way to the dead letters. A letter that Kafka did not take is
sent again, as long as there are not too many: what Zoom sends must not fill this process. So what is on its way is held
once, in the producer's queue, however long Kafka takes.
"""

from collections import deque

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
    """Call it from the event loop."""

    def __init__(self, letters: DeadLetters, identity: Identity) -> None:
        self._letters = letters
        self._identity = identity
        self._written = 0
        self._account = letters.account()
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
        self._waiting.extend(self._letters.refused(self._account))
        while self._waiting and self._handed_over(self._waiting[0]):
            self._waiting.popleft()
        while len(self._waiting) > MAX_WAITING:
            lost = self._waiting.popleft()
            metrics.LETTERS_LOST.inc()
            log.error("dead letter lost", session_id=lost.session_id, number=lost.offset, reason=lost.reason)

    @property
    def unsettled(self) -> int:
        """Letters that Kafka does not have yet."""
        account = self._account
        return account.sent - account.settled + len(account.refused) + len(self._waiting)

    def _handed_over(self, letter: DeadLetter) -> bool:
        try:
            self._letters.post(letter, self._account)
        except KafkaError:
            return False
        return True
