"""Which records say in a header what trace they belong to: those about a session, but for media."""

from typing import Any

from connectors.host import traces
from schemas.keys import session_of
from schemas.topics import MEDIA_TOPICS, Topic


def traced(topic: Topic, key: bytes | None) -> dict[str, Any]:
    """Arguments for the library: none while nobody collects traces."""
    if not traces.is_on() or not topic.per_session or topic in MEDIA_TOPICS:
        return {}
    headers = traces.headers(session_of(key))
    return {} if headers is None else {"headers": headers}
