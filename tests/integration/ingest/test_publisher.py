"""A session's records through a broker that goes away in the middle: all there, in order, accounted for."""

import time
import uuid

import pytest

from connectors.kafka.producer import MEDIA, TEXT, VIDEO, create_producer
from connectors.kafka.registry import load_codec
from ingest.publisher import Encodings, Frame, Identity, Publisher
from schemas import topics
from schemas.excerpts import KEPT_BYTES
from schemas.ids import partition_of, session_id
from schemas.records import Begin, Caption, Codec, RecordKind
from tests.support.processes import PATIENCE_S, wait_for
from tests.support.settings import kafka_settings
from tests.support.topics import values

ENCODINGS = Encodings(audio=Codec.L16, sample_rate_hz=16000, channels=1, video=Codec.H264)
BEGIN = Begin(worker="w", settings="{}", negotiated="{}")
REFUSED_S = 2.5
"""After so long a producer that waits for a second has refused what came first, and what comes now it keeps."""


@pytest.fixture(params=[{}])
def house(topics_ready, request):
    kafka = kafka_settings(topics_ready).model_copy(update=request.param)
    media, video, text = (create_producer(kafka, profile) for profile in (MEDIA, VIDEO, TEXT))
    producers = {topic.name: text if topic.text else media for topic in topics.MEDIA_TOPICS}
    producers |= {topics.VIDEO.name: video, topics.SHARE.name: video}
    session = session_id("proj_publisher", uuid.uuid4().hex)
    identity = Identity(session, partition_of(session, kafka.partitions), 17)
    yield kafka, Publisher(identity, load_codec(kafka), producers, 64_000_000)
    for producer in (media, video, text):
        producer.close()


def settle(publisher):
    def done():
        publisher.send()
        return publisher.unsettled == 0

    wait_for(done, PATIENCE_S, lambda: f"{publisher.unsettled} records were not delivered")


def speak(publisher, numbers):
    for number in numbers:
        publisher.audio(Frame(7, "Ada", 1000 + number, number, number.to_bytes(4, "big")))
        publisher.picture(topics.VIDEO, Frame(7, "Ada", 1000 + number, number, b"v%d" % number, number % 10 == 0))


def test_a_session_from_begin_to_end(house, kafka):
    settings, publisher = house
    session = publisher.identity.session_id
    publisher.begin(BEGIN, ENCODINGS, 1000, 1)
    speak(publisher, range(300))
    settle(publisher)
    kafka.kill()
    try:
        speak(publisher, range(300, 600))  # returns at once, with nobody there to take it
        began = time.monotonic()
        publisher.tick(topics.SHARE, 2000, 2)
        assert time.monotonic() - began < 30, "it waited"
    finally:
        kafka.start()
    caption = Caption(
        session_id=session, kind=RecordKind.FRAME, epoch=17, sequence=0, timestamp_ms=5, arrived_us=6, text="hi"
    )
    publisher.text(topics.CAPTIONS, caption)
    publisher.end(9000, 3)
    settle(publisher)
    assert list(publisher.take_holes()) == []
    audio = values(settings, topics.AUDIO, [session])
    assert [record.kind for record in audio] == [RecordKind.BEGIN, *[RecordKind.FRAME] * 600, RecordKind.END]
    assert [record.sequence for record in audio] == list(range(602))
    assert [int.from_bytes(record.payload, "big") for record in audio[1:-1]] == list(range(600))
    assert {(r.codec, r.sample_rate_hz, r.participant_name) for r in audio[1:-1]} == {(Codec.L16, 16000, "Ada")}
    video = values(settings, topics.VIDEO, [session])
    assert [record.key_frame for record in video[1:-1]] == [number % 10 == 0 for number in range(600)]
    share = values(settings, topics.SHARE, [session])
    assert [record.kind for record in share] == [RecordKind.BEGIN, RecordKind.TICK, RecordKind.END]
    assert share[1].timestamp_ms == 2000
    captions = values(settings, topics.CAPTIONS, [session])
    assert (captions[1].text, captions[1].sequence, captions[0].begin) == ("hi", 1, BEGIN)


@pytest.mark.parametrize("house", [{"delivery_timeout_ms": 1_000}], indirect=True)
def test_a_begin_that_kafka_did_not_take_in_time_still_stands_before_all_frames(house, kafka):
    """Those that were said before it could be sent again are the ones that Kafka still takes."""
    settings, publisher = house
    spoken = 0
    kafka.kill()
    try:
        publisher.begin(BEGIN, ENCODINGS, 1000, 1)
        until_s = time.monotonic() + REFUSED_S
        while time.monotonic() < until_s:
            speak(publisher, [spoken])
            spoken += 1
            time.sleep(0.01)
    finally:
        kafka.start()
    publisher.end(9000, 3)
    settle(publisher)
    audio = values(settings, topics.AUDIO, [publisher.identity.session_id])
    assert audio[0].kind is RecordKind.BEGIN
    there = [record.timestamp_ms for record in audio if record.kind is RecordKind.FRAME]
    missed = [(hole.from_ms, hole.to_ms) for hole in publisher.take_holes() if hole.medium == "audio"]
    assert len(there) + sum(to_ms - from_ms for from_ms, to_ms in missed) == spoken


def test_what_can_never_fit_is_a_stated_hole_and_the_rest_goes_on(house):
    settings, publisher = house
    publisher.begin(BEGIN, ENCODINGS, 1000, 1)
    publisher.picture(topics.VIDEO, Frame(7, "Ada", 1500, 1, bytes(topics.MAX_RECORD_BYTES + 1), True))
    publisher.picture(topics.VIDEO, Frame(7, "Ada", 1540, 1, b"next", True))
    settle(publisher)
    (hole,) = publisher.take_holes()
    assert (hole.medium, hole.from_ms, hole.cause) == ("video", 1500, "too_large")
    (excerpt,) = publisher.take_oversized()
    assert excerpt.length > topics.MAX_RECORD_BYTES
    assert len(excerpt.head) == KEPT_BYTES
    assert list(publisher.take_oversized()) == []
    video = values(settings, topics.VIDEO, [publisher.identity.session_id])
    assert [(record.sequence, record.payload) for record in video[1:]] == [(2, b"next")]
