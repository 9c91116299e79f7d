"""Decodes values of any release: a schema id seen for the first time is looked up in the registry, once.

The look-up blocks, and happens only in the moment when a newer or older release's first record is read. While the
registry is away, what only it can explain is waited for: a thread of its own waits (`decode_patiently`); a member of a
group puts the record back and goes on polling (`connectors.kafka.understanding`).
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from connectors.host.clock import Clock, SystemClock
from connectors.host.waiting import RETRY_S, Waiting
from connectors.kafka.registry import NotRegistered, RegistryError, learn_schema, load_codec
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec, Undecodable, UnknownSchema
from schemas.records import Record
from schemas.topics import Topic

REGISTRY = "registry"
"""What it is called where it is said that a process waits for it."""

MAX_NOBODYS = 10_000
"""Ids that the registry does not know, and that are not asked for again; garbage has four thousand million of them."""


class Decoder:
    """A codec that learns; `codec` encodes, `waiting` tells that the registry is waited for. Safe for any thread."""

    def __init__(
        self, settings: KafkaSettings, codec: Codec, waiting: Waiting | None = None, clock: Clock | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._nobodys: set[int] = set()
        self._away: RegistryError | None = None
        self._asked_at = 0.0
        self.codec = codec
        self.waiting = waiting or Waiting(REGISTRY)

    @classmethod
    def from_settings(cls, settings: KafkaSettings, known: Iterable[Topic] = topics.ALL) -> "Decoder":
        """For tools, which do not wait. Raises what `load_codec` does."""
        return cls(settings, load_codec(settings, known))

    def knows(self, data: bytes) -> bool:
        """Whether the registry need not be asked."""
        return self.codec.knows(data)

    def decode(self, topic: Topic, data: bytes) -> Record:
        """The record in `data`.

        Raises:
            Undecodable: a dead letter, also where the registry does not know the schema.
            RegistryError: the registry is away; try again.
        """
        try:
            return self.codec.decode(topic, data)
        except UnknownSchema as error:
            self._learn(error)
        return self.codec.decode(topic, data)

    async def decode_async(self, topic: Topic, data: bytes) -> Record:
        """`decode` for coroutines: the loop goes on while the registry is asked."""
        try:
            return self.codec.decode(topic, data)
        except UnknownSchema as error:
            await asyncio.to_thread(self._learn, error)
        return self.codec.decode(topic, data)

    def decode_patiently(self, topic: Topic, data: bytes, wait: Callable[[float], bool]) -> Record | None:
        """`decode`, waiting for a registry that is away; None when `wait`, given seconds, says that it is time to stop.

        Raises:
            Undecodable: a dead letter.
        """
        try:
            return self.decode(topic, data)
        except RegistryError as error:
            first = error
        try:
            self.waiting.begin(first, str(first))
            while not wait(RETRY_S):
                with suppress(RegistryError):
                    return self.decode(topic, data)
            return None
        finally:
            self.waiting.end(first)

    def _learn(self, error: UnknownSchema) -> None:
        if error.schema_id in self._nobodys:
            raise Undecodable(error.reason)
        try:
            self._ask(error.schema_id)
        except NotRegistered:
            if len(self._nobodys) >= MAX_NOBODYS:
                self._nobodys.clear()
            self._nobodys.add(error.schema_id)
            raise Undecodable(error.reason) from None

    def _ask(self, schema_id: int) -> None:
        """An answer may take its whole time-out not to come: nobody else then asks again at once."""
        if self._away is not None and self._clock.monotonic() - self._asked_at < RETRY_S / 2:
            raise self._away
        try:
            learn_schema(self._settings, self.codec, schema_id)
        except NotRegistered:
            self._away = None
            raise
        except RegistryError as error:
            self._away, self._asked_at = error, self._clock.monotonic()
            raise
        self._away = None
