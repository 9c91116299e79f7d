"""A record of a topic as a feed takes it."""

from collections.abc import Callable

from api.feeds.news import Entry
from api.metrics import UNREADABLE
from connectors.host.logs import get_logger
from connectors.kafka.records import Record
from schemas import topics
from schemas.codec import Undecodable
from schemas.keys import ITEM_SEPARATOR, keyed
from schemas.records import Record as Value
from schemas.topics import Topic

log = get_logger(__name__)


Decode = Callable[[Topic, bytes], Value | None]
"""Gives None when it is time to stop. Raises Undecodable."""


def entry_of(record: Record, decode: Decode) -> Entry | None:
    """What a record says; None for what nobody can read, and when it is time to stop."""
    item_id = (record.key or b"").decode(errors="replace").partition(ITEM_SEPARATOR)[2]
    if record.value is None:
        return Entry(record.offset, record.timestamp_ms, item_id, None)
    try:
        value = decode(topics.BY_NAME[record.topic], record.value)
        if value is None:
            return None
        return Entry(record.offset, record.timestamp_ms, item_id, keyed(record.key, value))
    except Undecodable as error:
        UNREADABLE.labels(record.topic).inc()
        log.error("record skipped", topic=record.topic, partition=record.partition, offset=record.offset,
                  reason=error.reason)  # fmt: skip
        return None
