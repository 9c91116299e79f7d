"""What no meeting would send goes through the real processes and the real broker, and costs no other session any."""

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.kafka.decoder import Decoder
from connectors.kafka.letter_box import LetterBox
from connectors.kafka.producer import MEDIA, create_producer
from connectors.kafka.settings import KafkaSettings
from schemas.ids import partition_of, session_id
from schemas.records import MediaRecord, OutputKind, RecordKind, Segment
from schemas.topics import AUDIO, BY_NAME, MAX_RECORD_BYTES, RECORDING_SEGMENTS, SHARE, VIDEO
from tests.support.groups import begin_at_the_ends
from tests.support.media import START_MS, Shot, Talk, audio_records, silent, video_records, wrapped
from tests.support.processes import running, wait_for
from tests.support.settings import kafka_settings
from tests.support.topics import values

T = START_MS
LARGEST = 8 * 1024 * 1024 - 64 * 1024
LONG_ID = "app_" + "x" * 7_000_000
LATEST_MS = 2**63 - 1


def crowded(session: str) -> dict[str, list[MediaRecord]]:
    """Six pictures of the largest size in the last moments of a slot, three times two at the same time."""
    (picture, *_) = video_records(session, [Shot(T, T + 100)])
    large = picture.payload + bytes([0x55]) * (LARGEST - len(picture.payload))
    pictures = [
        replace(picture, sequence=number, timestamp_ms=T + 3990 + (number - 1) // 2 * 3, payload=large)
        for number in range(1, 7)
    ]
    return plain(session) | {VIDEO.name: wrapped(session, pictures)}


def plain(session: str) -> dict[str, list[MediaRecord]]:
    return {
        AUDIO.name: wrapped(session, audio_records(session, [Talk(T, T + 5000)])),
        VIDEO.name: wrapped(session, video_records(session, [Shot(T, T + 5000)])),
        SHARE.name: silent(session),
    }


def strays(session: str) -> dict[str, list[MediaRecord]]:
    """A tick at the end of all time, and nothing before it; a session's name of megabytes."""
    (chunk, *_) = audio_records(session, [Talk(T, T + 100)])
    tick = replace(chunk, kind=RecordKind.TICK, timestamp_ms=LATEST_MS, payload=b"")
    return {AUDIO.name: [tick, chunk], VIDEO.name: []}


def write(kafka: KafkaSettings, partition: int, session: str, topics: dict[str, list[MediaRecord]]) -> None:
    codec, producer = Decoder.from_settings(kafka).codec, create_producer(kafka, MEDIA)
    for topic, records in topics.items():
        for record in records:
            value = codec.encode(BY_NAME[topic], record)
            producer.send_blocking(BY_NAME[topic], session.encode(), value, partition)
    assert producer.close() == 0


@pytest.mark.timeout(600)
def test_the_largest_pictures_and_the_oddest_records(topics_ready: dict[str, str], tmp_path: Path) -> None:
    kafka, run = kafka_settings(topics_ready), uuid.uuid4().hex
    large = session_id("proj_odd", run)
    partition = partition_of(large, kafka.partitions)
    after = next(
        s for n in range(999) if partition_of(s := session_id("p", f"{run}{n}"), kafka.partitions) == partition
    )
    env = topics_ready | {"RTMS_PROCESSORS_GROUP_PREFIX": f"{run}-"}

    def segments(session: str) -> list[Segment]:
        found = values(kafka, RECORDING_SEGMENTS, [session])
        return [part for part in found if isinstance(part, Segment)]

    begin_at_the_ends(kafka, f"{run}-muxing", (AUDIO.name, VIDEO.name, SHARE.name))
    with running(["-m", "processors", "muxing"], env, tmp_path / "muxing.log") as muxing:
        write(kafka, partition, "app_stray", strays("app_stray"))
        write(kafka, partition, LONG_ID, strays(LONG_ID))
        write(kafka, partition, large, crowded(large))
        write(kafka, partition, after, plain(after))
        for session in (large, after):
            wait_for(
                lambda session=session: any(part.kind is OutputKind.END for part in segments(session)),
                120,
                lambda: f"not ended: see {muxing.log}",
            )
    *parts, end = segments(large)
    assert end.count == len({part.segment_id for part in parts})
    assert sum(len(part.payload) for part in parts) > 6 * LARGEST
    assert max(len(part.payload) for part in parts) <= MAX_RECORD_BYTES
    log = muxing.log.read_text()
    assert "processor failed" not in log
    letters = [letter for letter in LetterBox(kafka, Decoder.from_settings(kafka)).letters()]
    assert {letter.content.reason for letter in letters if letter.content.partition == partition} == {
        "under a key that is too long"
    }
