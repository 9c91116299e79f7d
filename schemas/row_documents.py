"""What stands as JSON in a column of ClickHouse's rows: written by the sink, read by the API and the sink. Pure.

A session's own document is `schemas.archiving`'s.
"""

import msgspec

from schemas.records import SpokenWord, WebhookDelivery

_words = msgspec.json.Decoder(tuple[SpokenWord, ...])
_deliveries = msgspec.json.Decoder(WebhookDelivery)


def words_document(words: tuple[SpokenWord, ...]) -> str:
    """The column `words` of an utterance."""
    return msgspec.json.encode(words).decode()


def words_in(document: str) -> tuple[SpokenWord, ...]:
    """The words in that column; none in a row of before there was one. Raises ValueError."""
    return _words.decode(document or "[]")


def delivery_document(delivery: WebhookDelivery) -> str:
    """The column `document` of a webhook's delivery."""
    return msgspec.json.encode(delivery).decode()


def delivery_in(document: str) -> WebhookDelivery:
    """The delivery in that column. Raises ValueError."""
    return _deliveries.decode(document)
