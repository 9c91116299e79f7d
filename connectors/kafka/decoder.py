"""Decodes values of any release: a schema id seen for the first time is looked up in the registry, once.

The look-up blocks, and happens only in the moment when a newer or older release's first record is read.
"""

from collections.abc import Callable

from connectors.host.logs import get_logger
from connectors.kafka.registry import NotRegistered, RegistryError, learn_schema, load_codec
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec, Undecodable, UnknownSchema
from schemas.records import Record
from schemas.topics import Topic

log = get_logger(__name__)

RETRY_S = 1.0
MAX_NOBODYS = 10_000
"""Ids that the registry does not know, and that are not asked for again; garbage has four thousand million of them."""


class Decoder:
    """A codec that learns; `codec` encodes."""

    def __init__(self, settings: KafkaSettings, codec: Codec) -> None:
        self._settings = settings
        self._nobodys: set[int] = set()
        self.codec = codec

    @classmethod
    def from_settings(cls, settings: KafkaSettings) -> "Decoder":
        """Raises what `load_codec` does."""
        return cls(settings, load_codec(settings))

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

    def decode_patiently(self, topic: Topic, data: bytes, wait: Callable[[float], bool]) -> Record | None:
        """`decode`, waiting for a registry that is away; None when `wait`, given seconds, says that it is time to stop.

        Raises:
            Undecodable: a dead letter.
        """
        while True:
            try:
                return self.decode(topic, data)
            except RegistryError as error:
                log.warning("waiting for the registry", topic=topic.name, code=error.code)
                if wait(RETRY_S):
                    return None

    def _learn(self, error: UnknownSchema) -> None:
        if error.schema_id in self._nobodys:
            raise Undecodable(error.reason)
        try:
            learn_schema(self._settings, self.codec, error.schema_id)
        except NotRegistered:
            if len(self._nobodys) >= MAX_NOBODYS:
                self._nobodys.clear()
            self._nobodys.add(error.schema_id)
            raise Undecodable(error.reason) from None
