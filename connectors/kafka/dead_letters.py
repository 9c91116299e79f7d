"""Puts inputs that can never be used aside, where somebody can look at them, and lets the work go on.

A letter holds the first 256 KiB of what came, its whole length and its SHA-256. It is personal data like the media it
came from, so nothing of it is logged but where it came from and why.
"""

import hashlib
from concurrent.futures import Future

from connectors.host.logs import get_logger
from connectors.kafka.metrics import DEAD_LETTERS as COUNTED
from connectors.kafka.producer import Producer
from schemas.codec import Codec
from schemas.records import DeadLetter
from schemas.topics import DEAD_LETTERS

log = get_logger(__name__)

MAX_DATA_BYTES = 256 * 1024
_REASON_CHARACTERS = 200


def letter_of(
    topic: str, partition: int, offset: int, reason: str, data: bytes, session_id: str | None = None
) -> DeadLetter:
    """The letter for one input; `reason` must hold nothing of the input itself."""
    return DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        reason=reason[:_REASON_CHARACTERS],
        session_id=session_id,
        length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        data=bytes(data[:MAX_DATA_BYTES]),
    )


def encoded(codec: Codec, letter: DeadLetter) -> tuple[bytes, bytes]:
    """Key and value: the key is where the input was, so a repeated letter is seen to be the same."""
    key = f"{letter.topic}/{letter.partition}/{letter.offset}".encode()
    return key, codec.encode(DEAD_LETTERS, letter)


class DeadLetters:
    """Writes letters; use a text or control producer."""

    def __init__(self, producer: Producer, codec: Codec) -> None:
        self._producer = producer
        self._codec = codec

    def send(
        self, topic: str, partition: int, offset: int, reason: str, data: bytes, session_id: str | None = None
    ) -> "Future[int]":
        """Queue a letter; commit its input only when the future has the letter's offset.

        Raises what `Producer.send` does, QueueFull above all.
        """
        return self.send_letter(letter_of(topic, partition, offset, reason, data, session_id))

    def send_letter(self, letter: DeadLetter) -> "Future[int]":
        """`send` for a letter that is written already."""
        key, value = encoded(self._codec, letter)
        future = self._producer.send_future(DEAD_LETTERS, key, value, 0)
        COUNTED.labels(letter.topic).inc()
        log.warning(
            "dead letter",
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.offset,
            reason=letter.reason,
        )
        return future
