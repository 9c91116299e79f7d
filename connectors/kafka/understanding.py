"""What a group member has read, decoded, and without losing its membership to a registry that is away.

A record that only the registry can explain is put back with what follows it in its partition, to be read again a little
later; the other partitions go on, and so does the member's loop.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from connectors.host.waiting import RETRY_S
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.records import Place
from connectors.kafka.records import Record as KafkaRecord
from connectors.kafka.registry import RegistryError
from schemas.codec import Undecodable
from schemas.keys import keyed
from schemas.records import Record
from schemas.topics import BY_NAME


class Understood(NamedTuple):
    """A record and what it says. `value` is None for a tombstone, and where `refusal` says why it is a dead letter."""

    record: KafkaRecord
    value: Record | None
    refusal: str = ""


class Understanding:
    """One member's; hand it every batch, empty ones too, so that it notices when partitions have moved away."""

    def __init__(self, consumer: GroupConsumer, decoder: Decoder) -> None:
        self._consumer, self._decoder = consumer, decoder
        self._unexplained: set[Place] = set()

    def of(self, records: Sequence[KafkaRecord]) -> Iterator[Understood]:
        """The records that can be used now, in order; read it to the end."""
        put_back: dict[Place, int] = {}
        for record in records:
            if record.place in put_back:
                continue
            try:
                yield self._understood(record)
            except RegistryError as error:
                put_back[record.place] = record.offset
                self._unexplained.add(record.place)
                self._decoder.waiting.begin(str(record.place), str(error))
            else:
                self._explained(record.place)
        for place in self._unexplained - self._consumer.assignment():
            self._explained(place)
        if put_back:
            self._consumer.put_back(put_back, RETRY_S)

    def _understood(self, record: KafkaRecord) -> Understood:
        if record.value is None:
            return Understood(record, None)
        try:
            value = self._decoder.decode(BY_NAME[record.topic], record.value)
            return Understood(record, keyed(record.key, value))
        except Undecodable as error:
            return Understood(record, None, error.reason)

    def _explained(self, place: Place) -> None:
        if place in self._unexplained:
            self._unexplained.discard(place)
            self._decoder.waiting.end(str(place))
