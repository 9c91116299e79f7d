"""What the services did for one meeting, as a collector of traces and a consumer of the topics have it."""

import asyncio
import time
from collections.abc import Iterator, Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas import topics
from schemas.keys import session_of
from schemas.records import Segment, Utterance
from schemas.topics import Topic
from schemas.traces import HEADER, SESSION, span_id, trace_id, traceparent
from tests.integration.edges.conftest import PATIENCE_S, Street
from tests.support.otlp import Collected, Otlp

WRITTEN = "write recording-segments"
TRACED = (
    ("api", "create"), ("ingest", "claim"), ("ingest", "connect"), ("processor-muxing", WRITTEN),
    ("processor-transcription", "write transcripts"), ("processor-participants", "write participant-events"),
    ("sink-objects", "store segment"), ("sink-objects", "finish recording"), ("sink-clickhouse", "store rows"),
    ("processor-lifecycle", "fact requested"), ("processor-lifecycle", "connecting"), ("processor-lifecycle", SESSION),
)  # fmt: skip
"""By whom, and what."""


async def check_trace(street: Street, otlp: Otlp, session: str) -> None:
    """One trace, below the session, in which nothing stands that was said, and nobody's name."""
    spans = await all_spans(street, otlp, session)
    (whole,) = [span for span in spans if span.name == SESSION]
    root = f"{span_id(session, SESSION):016x}"
    assert (whole.span_id, whole.parent_id, whole.attributes["state"]) == (root, "", "ended")
    assert {span.parent_id for span in spans if span is not whole} == {root}
    assert {span.attributes["session_id"] for span in spans} == {session}
    assert len({span.span_id for span in spans}) == len(spans)
    assert count(spans, WRITTEN) == segments_of(street, session)
    said = [record for record in street.records(topics.TRANSCRIPTS) if isinstance(record, Utterance)]
    private = {text for record in said for text in (record.text, record.participant_name) if text}
    assert private
    assert not [text for text in private if text in str(otlp.spans)]
    check_headers(street, session)


async def all_spans(street: Street, otlp: Otlp, session: str) -> list[Collected]:
    """What was collected of the session, once nothing is missing: the services send it in batches, and late."""
    trace, segments = f"{trace_id(session):032x}", segments_of(street, session)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        spans = otlp.of(trace)
        missing = set(TRACED) - {(span.service, span.name) for span in spans}
        if not missing and count(spans, WRITTEN) >= segments:
            return spans
        assert time.monotonic() < deadline, f"no span of {missing}, {count(spans, WRITTEN)} of {segments} segments"
        await asyncio.sleep(0.1)


def count(spans: Sequence[Collected], name: str) -> int:
    return len([span for span in spans if span.name == name])


def segments_of(street: Street, session: str) -> int:
    """How many records the log has of the session's recording."""
    records = street.records(topics.RECORDING_SEGMENTS)
    return len([record for record in records if isinstance(record, Segment) and record.session_id == session])


def check_headers(street: Street, session: str) -> None:
    """Whoever consumes what is said of a session can go on with its trace; frames carry no header."""
    for topic in (topics.SESSION_FACTS, topics.APP_SESSIONS, topics.SESSION_CHANGES, topics.TRANSCRIPTS):
        found = [headers for key, headers in headers_of(street, topic) if session_of(key) == session]
        assert found, topic.name
        assert all(headers == [(HEADER, traceparent(session).encode())] for headers in found), topic.name
    assert not [headers for _, headers in headers_of(street, topics.AUDIO) if headers]


def headers_of(street: Street, topic: Topic) -> Iterator[tuple[bytes | None, object]]:
    """Key and headers of each record."""
    consumer = Consumer(
        {"bootstrap.servers": street.kafka.bootstrap_servers, "group.id": "headers", "enable.partition.eof": True}
    )
    try:
        consumer.assign([TopicPartition(topic.name, 0, OFFSET_BEGINNING)])
        while (message := consumer.poll(PATIENCE_S)) is not None and message.error() is None:
            yield message.key(), message.headers()
        assert message is not None, f"no end of {topic.name} in time"
    finally:
        consumer.close()
