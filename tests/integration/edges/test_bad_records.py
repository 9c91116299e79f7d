"""Records that nobody should have written, on every topic: put aside, left out or skipped, and life goes on."""

import asyncio
import json
import time
import uuid
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.kafka.producer import TEXT, create_producer
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.stream import Stream
from deploy.local.server import unready
from schemas import topics
from schemas.codec import framed
from schemas.keys import FOREIGN_KEY, item_key
from schemas.records import (
    MEDIA_CLASS_OF,
    AppSession,
    Begin,
    Codec,
    FactKind,
    MediaRecord,
    OutputKind,
    ParticipantEvent,
    Project,
    Record,
    RecordKind,
    Segment,
    SessionFact,
    StreamRequest,
    Utterance,
    Video,
)
from schemas.topics import Topic
from tests.integration.edges.conftest import PATIENCE_S, Street
from tests.integration.edges.traced import check_trace
from tests.soak.expected import expected
from tests.support.deleted_chat import settled
from tests.support.otlp import Otlp
from tests.support.patient_zoom import PatientZoom
from tests.support.processes import rss_bytes, wait_for
from tests.support.topics import INPUTS

MARKER = "Eleonore-said-in-confidence"
PRIVATE = MARKER.encode()
KEYS = (b"app_0123456789abcdef", b"", b"\xff\xfe\x00\xff", b"transcripts\x00/../..")

NULL_DELETES = {
    topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.APP_SESSIONS,
    topics.SESSION_CHANGES, topics.WEBHOOK_NOTICES, topics.WEBHOOK_DELIVERIES,
}  # fmt: skip
REREADING = ("lifecycle", "ingest", "api", "participants", "transcription", "muxing")
"""They read compacted topics from the beginning, garbage and all."""

SMALL, SMALL_BYTES = 1_000, 200
LARGE, LARGE_BYTES = 48, 1024 * 1024 - 1024
"""A flood: so many records of so many bytes; the large ones where a reader commits what it has read."""

AT_A_TIME = 48

FLOOD_BYTES = 64 * 1024 * 1024
SINKS_FLOOD_BYTES = 160 * 1024 * 1024
"""What floods of bad records may add to a process, at any moment. A sink reads three or four of the topics, with up to
two consumers that read ahead, and has as much as the library takes on its way to the dead letters.
"""


def garbage(street: Street, topic: Topic) -> dict[str, bytes | None]:
    codec = street.decoder.codec
    own = codec.schema_id(topic)
    picture = Video(session_id=MARKER, kind=RecordKind.FRAME, epoch=1, sequence=1, timestamp_ms=1, arrived_us=1)
    project = Project(project_id=MARKER, name=MARKER, created_at_ms=1)
    is_project = topic is topics.PROJECTS
    foreign = codec.encode(topics.VIDEO, picture) if is_project else codec.encode(topics.PROJECTS, project)
    return {
        "no header": b"\x7f" + PRIVATE,
        "shorter than a header": b"\x00\x00",
        "right header, wrong body": framed(own, b"\xff" * 9 + PRIVATE),
        "right header, no body": framed(own, b""),
        "unknown schema": framed(0x7FFFFFFF, PRIVATE),
        "another topic's record": foreign,
        "nothing": b"",
        "null": None,
    }


async def test_a_meeting_behind_garbage_on_every_topic(street: Street, otlp: Otlp) -> None:
    bad: dict[tuple[str, int], tuple[str, bytes | None]] = {}
    for topic in topics.ALL:
        for number, (what, value) in enumerate(garbage(street, topic).items()):
            offset = street.write(topic, KEYS[number % len(KEYS)], value)
            if topic in INPUTS and not (value is None and topic in NULL_DELETES):
                bad[topic.name, offset] = what, value
    await check_letters(street, bad)
    for name in REREADING:
        street.services[name].kill()
    await asyncio.to_thread(street.start, *REREADING)
    async with PatientZoom() as simulator:
        stream = await simulator.start(MeetingRequest(seconds=12))
        session = await asyncio.to_thread(street.join, simulator, stream)
        told = await asyncio.to_thread(street.ended, session)
    assert (told["recording_state"], told["transcription_state"]) == ("complete", "complete")
    check_services(street, stream)
    await check_trace(street, otlp, session)


async def check_letters(street: Street, bad: dict[tuple[str, int], tuple[str, bytes | None]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while missing := bad.keys() - (letters := await street.letters()).keys():
        assert time.monotonic() < deadline, f"not put aside: {[(*place, bad[place][0]) for place in missing]}"
        await asyncio.sleep(0.2)
    for place, (what, value) in bad.items():
        assert letters[place].data == (value or b""), what
        assert letters[place].reason, what
        assert MARKER not in letters[place].reason, what


# --- a record is its key's ----------------------------------------------------------------------------------------


async def test_a_record_under_the_key_of_something_else_is_nobodys(street: Street) -> None:
    """Compaction and deletion go by the key, readers by the value: nobody may speak for another session."""
    victim, mallory = "app_00000000victim", b"app_0000000mallory"
    request = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
    wrong: list[tuple[Topic, bytes, Record]] = [
        (topics.SESSION_FACTS, mallory, SessionFact(session_id=victim, kind=FactKind.REQUESTED, project_id="p",
                                                    request=request)),
        *((topic, mallory, media(topic, victim)) for topic in topics.MEDIA_TOPICS),
        (topics.TRANSCRIPTS, item_key(mallory.decode(), "utt_1"),
         Utterance(session_id=victim, kind=OutputKind.ITEM, utterance_id="utt_1", engine="zoom", text=MARKER)),
        (topics.PARTICIPANT_EVENTS, item_key(mallory.decode(), "pe_1"),
         ParticipantEvent(session_id=victim, kind=OutputKind.ITEM, event_id="pe_1", event="join")),
        (topics.RECORDING_SEGMENTS, mallory, Segment(session_id=victim, kind=OutputKind.ITEM, payload=PRIVATE)),
        (topics.APP_SESSIONS, mallory, AppSession(
            session_id=victim, project_id="p", state="ended", request=request, settings="{}", metadata=None,
            history=(), recording_state="complete", transcription_state="complete", awaiting=(), created_at_ms=1,
            epoch=1, folded_offset=0)),
    ]  # fmt: skip
    bad = {}
    for topic, key, record in wrong:
        value = street.decoder.codec.encode(topic, record)
        bad[topic.name, street.write(topic, key, value)] = topic.name, value
    await check_letters(street, bad)
    letters = await street.letters()
    assert {letters[place].reason for place in bad} == {FOREIGN_KEY}
    assert {(letters[place].key or b"").partition(b"|")[0] for place in bad} == {mallory}


def media(topic: Topic, session: str, kind: RecordKind = RecordKind.FRAME, **changes: object) -> MediaRecord:
    known = {"session_id": session, "kind": kind, "epoch": 1, "sequence": 1, "timestamp_ms": 1, "arrived_us": 1}
    if kind is RecordKind.BEGIN:
        known["begin"] = Begin(worker=MARKER, settings="{}", negotiated="{}")
    if topic is topics.AUDIO and kind is RecordKind.FRAME:
        known |= {"codec": Codec.L16, "sample_rate_hz": 16000, "channels": 1, "payload": b"\xff\x7f" * 1600}
    return MEDIA_CLASS_OF[topic.name](**known | changes)  # type: ignore[arg-type]


# --- out of order -------------------------------------------------------------------------------------------------

ABSURD_MS = (0, -1, -(2**62), 2**62, 4_102_444_800_000, 1)


def disturbances(topic: Topic, session: str, epoch: int, now_ms: int) -> list[MediaRecord]:
    """Well-formed records of a living session that no worker writes: foreign epochs, absurd times, wrong order."""
    kinds = RecordKind

    def one(kind: RecordKind, **changes: object) -> MediaRecord:
        return media(
            topic, session, kind, **{"participant_id": 666, "sequence": 10**6, "timestamp_ms": now_ms} | changes
        )

    return [
        one(kinds.BEGIN, epoch=epoch, sequence=0, timestamp_ms=now_ms, begin=None),
        *(one(kind, epoch=foreign) for kind in (kinds.FRAME, kinds.TICK) for foreign in (0, epoch + 1, 2**62)),
        *(one(kind, epoch=older) for kind in (kinds.BEGIN, kinds.END) for older in (0, epoch - 1)),
        *(one(kind, epoch=epoch, timestamp_ms=ms) for kind in (kinds.FRAME, kinds.TICK) for ms in ABSURD_MS),
        one(kinds.TICK, epoch=epoch, timestamp_ms=now_ms - 60_000),
        one(kinds.UNKNOWN, epoch=epoch),
        one(kinds.UNKNOWN, epoch=2**62),
    ]  # fmt: skip


async def test_a_meeting_that_is_meddled_with_is_what_it_would_have_been(street: Street, tmp_path: Path) -> None:
    async with PatientZoom() as one, PatientZoom() as another:
        request = MeetingRequest(seed=3, seconds=14)
        streams = [await zoom.start(replace(request, stream_id=uuid.uuid4().hex)) for zoom in (one, another)]
        alone, meddled = [
            await asyncio.to_thread(street.join, zoom, stream)
            for zoom, stream in zip((one, another), streams, strict=True)
        ]
        epoch = await asyncio.to_thread(epoch_of, street, meddled)
        bad: set[tuple[str, int]] = set()
        for _ in range(3):
            for topic in topics.MEDIA_TOPICS:
                for record in disturbances(topic, meddled, epoch, streams[1].clock.now_ms()):
                    bad.add((topic.name, await asyncio.to_thread(write, street, topic, record)))
        told = [await asyncio.to_thread(street.ended, session) for session in (alone, meddled)]
        for topic in topics.MEDIA_TOPICS:  # what comes behind the end
            for kind in (RecordKind.END, RecordKind.BEGIN, RecordKind.FRAME, RecordKind.TICK):
                late = media(topic, meddled, kind, epoch=epoch + 5, timestamp_ms=2**50)
                bad.add((topic.name, await asyncio.to_thread(write, street, topic, late)))
    for session in told:
        assert (session["recording_state"], session["transcription_state"]) == ("complete", "complete")
    inputs = {topic.name: undisturbed(street, topic, meddled, bad) for topic in topics.MEDIA_TOPICS}
    due = (await expected({meddled: inputs}, tmp_path))[meddled]
    assert results(street, topics.TRANSCRIPTS, meddled) == set(due.utterances)
    events = results(street, topics.PARTICIPANT_EVENTS, meddled)
    assert set(due.events) <= events <= {*due.events, *settled(due.events)}
    assert results(street, topics.RECORDING_SEGMENTS, meddled) == set(due.segments)
    assert min(len(due.utterances), len(due.events), len(due.segments)) > 3
    check_services(street, *streams)


async def test_ends_and_frames_of_sessions_that_nobody_asked_for(street: Street) -> None:
    """End before begin, and nothing else; what the processors conclude from it is a fact about nothing: a letter."""
    session = "app_000000uninvited"
    for topic in topics.MEDIA_TOPICS:
        for kind in (RecordKind.END, RecordKind.FRAME, RecordKind.BEGIN, RecordKind.END):
            write(street, topic, media(topic, session, kind, epoch=7, timestamp_ms=-5))
    deadline = time.monotonic() + PATIENCE_S
    wanted = {FactKind.TRANSCRIPT_STORED, FactKind.EVENTS_STORED, FactKind.RECORDING_FAILED}
    while True:
        facts = [fact for fact in street.records(topics.SESSION_FACTS) if isinstance(fact, SessionFact)]
        letters = [letter for letter in (await street.letters()).values() if letter.session_id == session]
        if wanted <= {fact.kind for fact in facts if fact.session_id == session} and len(letters) >= len(wanted):
            break
        assert time.monotonic() < deadline, (facts, letters)
        await asyncio.sleep(0.2)
    assert {letter.topic for letter in letters} == {topics.SESSION_FACTS.name}
    assert {letter.reason for letter in letters} == {"a fact about a session that was never requested"}


def write(street: Street, topic: Topic, record: MediaRecord) -> int:
    return street.write(topic, record.session_id.encode(), street.decoder.codec.encode(topic, record))


def undisturbed(street: Street, topic: Topic, session: str, bad: set[tuple[str, int]]) -> list[MediaRecord]:
    """What the worker wrote, and nobody else."""
    good = [record for record in street.raw(topic) if (topic.name, record.offset) not in bad and record.value]
    own = [record for record in good if record.key == session.encode()]
    found = [street.decoder.decode(topic, record.value or b"") for record in own]
    return [record for record in found if isinstance(record, MediaRecord)]


def epoch_of(street: Street, session: str) -> int:
    """Once all six topics have begun."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        begun = [
            [r for r in street.records(topic) if isinstance(r, MediaRecord) and r.session_id == session and r.begin]
            for topic in topics.MEDIA_TOPICS
        ]
        if all(begun):
            return begun[0][0].epoch
        assert time.monotonic() < deadline, session
        time.sleep(0.1)


def results(street: Street, topic: Topic, session: str) -> set[Record]:
    """What a processor made of the session."""
    found = [record for record in street.records(topic) if isinstance(record, Utterance | ParticipantEvent | Segment)]
    return {record for record in found if record.session_id == session}


# --- floods -------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(1200)
async def test_floods_of_bad_records_on_every_topic_are_put_aside_in_bounded_memory(street: Street) -> None:
    """Of what cannot be read, small and large, and of what no worker writes; no process ever holds much of it."""
    before = {name: rss_bytes(server) for name, server in street.services.items()}
    most = dict(before)

    def look() -> None:
        most.update({name: max(most[name], rss_bytes(server)) for name, server in street.services.items()})

    flooding = asyncio.create_task(asyncio.to_thread(flood, street))
    while not flooding.done():
        await asyncio.to_thread(look)
        await asyncio.wait([flooding], timeout=0.2)
    last, deadline = flooding.result(), time.monotonic() + 3 * PATIENCE_S
    while missing := await asyncio.to_thread(not_put_aside, street, last):
        assert time.monotonic() < deadline, f"not all were put aside: {missing}"
        await asyncio.to_thread(look)
    grown = {name: (most[name] - before[name]) // 2**20 for name in most}
    print(f"grew by at most (MiB): {grown}")
    for name, mib in grown.items():
        bound = SINKS_FLOOD_BYTES if name.startswith("sink-") else FLOOD_BYTES
        assert mib < bound // 2**20, (name, grown)
    check_services(street)


def flood(street: Street) -> dict[str, int]:
    """The offset of the last record that is to be put aside, by topic."""
    with closing(create_producer(street.kafka, TEXT)) as producer:

        def written(topic: Topic, key: bytes, values: list[bytes]) -> int:
            last = 0
            for first in range(0, len(values), AT_A_TIME):
                sent = [producer.send_future(topic, key, value, 0) for value in values[first : first + AT_A_TIME]]
                last = max(future.result(PATIENCE_S) for future in sent)
            return last

        for topic in topics.ALL:
            written(topic, b"k", [b"\x7f" * SMALL_BYTES] * SMALL)
        last = {topic.name: written(topic, b"k", [b"\x7f" * LARGE_BYTES] * LARGE) for topic in INPUTS}
        for topic in topics.MEDIA_TOPICS:
            written(topic, DISORDERLY.encode(), [street.decoder.codec.encode(topic, one) for one in disorder(topic)])
    return last


DISORDERLY = "app_000000disorderly"
DISORDERED = 300


def disorder(topic: Topic) -> list[MediaRecord]:
    """A session that has begun, and then many frames, ticks, begins and ends of epochs that are over or never began."""
    kinds = (RecordKind.FRAME, RecordKind.TICK, RecordKind.BEGIN, RecordKind.END)
    foreign = {RecordKind.FRAME: 2**40, RecordKind.TICK: 2**40}
    return [media(topic, DISORDERLY, RecordKind.BEGIN, epoch=5)] + [
        media(topic, DISORDERLY, kind, epoch=foreign.get(kind, 4) - number, sequence=number, timestamp_ms=number)
        for number in range(DISORDERED)
        for kind in kinds
    ]


READERS = {topics.AUDIO.name: 2}
"""Of the topics that more than one service reads; each puts aside what it finds there."""


def not_put_aside(street: Street, offsets: dict[str, int]) -> dict[str, int]:
    """Those of these inputs, by topic, that not every reader has put aside.

    Where they stand among the letters says nothing: some readers have several threads.
    """
    letters = Counter(record.key for record in street.raw(topics.DEAD_LETTERS))
    return {
        topic: offset
        for topic, offset in offsets.items()
        if letters[f"{topic}/0/{offset}".encode()] < READERS.get(topic, 1)
    }


# --- what holds after each of them --------------------------------------------------------------------------------


def check_alive(street: Street) -> None:
    for name, server in street.services.items():
        assert server.exit_code() is None, name
        wait_for(lambda port=server.program.port: not unready(port, "/livez"), PATIENCE_S, lambda name=name: name)


def check_services(street: Street, *streams: Stream) -> None:
    check_alive(street)
    private = {person.name for stream in streams for person in stream.meeting.participants}
    private |= {turn.text for stream in streams for turn in stream.meeting.turns}
    for name, server in street.services.items():
        check_log(name, server.log.read_text(), private)


def check_log(name: str, log: str, private: set[str]) -> None:
    """Nothing private, nothing thrown, nothing said over and over."""
    assert [word for word in private | {MARKER} if word in log] == [], name
    assert "Traceback" not in log, f"{name}: {log[log.index('Traceback') - 1500 :][:4000]}"
    loud = Counter(
        json.dumps({k: v for k, v in json.loads(line).items() if k not in ("timestamp",)}, sort_keys=True)
        for line in log.splitlines()
        if line.startswith("{") and json.loads(line).get("level") in ("warning", "error", "critical")
    )
    assert {line: times for line, times in loud.items() if times > 4} == {}, name
