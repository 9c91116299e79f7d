"""Puts inputs that can never be used aside, where somebody can look at them, and lets the work go on.

A letter holds the first 256 KiB of what came, its whole length and its SHA-256. It is personal data like the media it
came from, so nothing of it is logged but where it came from and why.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from typing import NamedTuple, Self

from connectors.host.logs import get_logger
from connectors.kafka.metrics import DEAD_LETTERS as COUNTED
from connectors.kafka.producer import Account, Producer
from connectors.kafka.records import Record
from schemas.codec import Codec
from schemas.excerpts import Excerpt, excerpt_of
from schemas.keys import MAX_KEY_BYTES, session_of
from schemas.records import DeadLetter
from schemas.topics import BY_NAME, DEAD_LETTERS

log = get_logger(__name__)

_REASON_CHARACTERS = 200
_LOGGED_FIRST = 100
_LOGGED_EVERY = 1000


class Origin(NamedTuple):
    """Where an input was. A `topic` that is none of ours names another source, which counts its own offsets and tells
    its inputs apart by `key`."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = None

    @classmethod
    def of(cls, record: Record) -> Self:
        """Where a record stands."""
        return cls(record.topic, record.partition, record.offset, record.key)


def letter_of(origin: Origin, reason: str, data: bytes | Excerpt, session_id: str | None = None) -> DeadLetter:
    """The letter for one input; `reason` must hold nothing of the input itself.

    Without a `session_id` the key says whose it is: all our keys begin with the session's id. A key that is too long to
    be ours is left out.
    """
    excerpt = data if isinstance(data, Excerpt) else excerpt_of(data)
    return DeadLetter(
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        reason=reason[:_REASON_CHARACTERS],
        session_id=session_id or session_of(origin.key),
        length=excerpt.length,
        sha256=excerpt.sha256,
        data=excerpt.head,
        key=origin.key if len(origin.key or b"") <= MAX_KEY_BYTES else None,
    )


def encoded(codec: Codec, letter: DeadLetter) -> tuple[bytes, bytes]:
    """Key and value: the key is where the input was, so a repeated letter is seen to be the same."""
    if letter.topic in BY_NAME or letter.key is None:
        key = f"{letter.topic}/{letter.partition}/{letter.offset}".encode()
    else:
        key = f"{letter.topic}/".encode() + letter.key
    return key, codec.encode(DEAD_LETTERS, letter)


class Notices:
    """Counts letters, and logs the first hundred of each topic and then every thousandth: a flood of garbage must not
    become a flood of log lines.
    """

    def __init__(self) -> None:
        self._written: Counter[str] = Counter()

    def note(self, letter: DeadLetter) -> None:
        """A letter has been written."""
        COUNTED.labels(letter.topic).inc()
        self._written[letter.topic] += 1
        number = self._written[letter.topic]
        if number <= _LOGGED_FIRST or number % _LOGGED_EVERY == 0:
            log.warning(
                "dead letter",
                topic=letter.topic,
                partition=letter.partition,
                offset=letter.offset,
                reason=letter.reason,
                letters=number,
            )


class DeadLetters:
    """Writes letters; use a text or control producer."""

    def __init__(self, producer: Producer, codec: Codec) -> None:
        self._notices = Notices()
        self._producer = producer
        self._codec = codec

    def send(self, origin: Origin, reason: str, data: bytes) -> "Future[int]":
        """Queue a letter; commit its input only when the future has the letter's offset.

        Raises what `Producer.send` does, QueueFull above all.
        """
        return self.send_letter(letter_of(origin, reason, data))

    def refuse(self, record: Record, reason: str) -> "Future[int]":
        """`send` for a record as a consumer got it."""
        return self.send(Origin.of(record), reason, record.value or b"")

    def send_letter(self, letter: DeadLetter) -> "Future[int]":
        """`send` for a letter that is written already."""
        key, value = encoded(self._codec, letter)
        future = self._producer.send_future(DEAD_LETTERS, key, value, 0)
        self._notices.note(letter)
        return future

    def account(self) -> Account:
        """For who writes many letters, in a loop that must not wait: see `post` and `refused`."""
        return self._producer.account(DEAD_LETTERS)

    def post(self, letter: DeadLetter, account: Account) -> None:
        """`send_letter` for who does not wait: from now on the producer alone holds the letter, and the account tells
        what became of it."""
        key, value = encoded(self._codec, letter)
        account.send(key, value, 0)
        self._notices.note(letter)

    def refused(self, account: Account) -> Iterator[DeadLetter]:
        """The letters of the account that brokers did not take, since the last call."""
        while account.refused:
            letter = self._codec.decode(DEAD_LETTERS, account.refused.popleft())
            assert isinstance(letter, DeadLetter)
            yield letter
