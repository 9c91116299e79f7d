"""Sessions always end, once, and say what is missing: whatever dies, refuses, falls silent or writes nonsense."""

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient  # type: ignore[attr-defined]
from obstore.exceptions import NotFoundError
from obstore.store import S3Store

from connectors.rtms.simulator import scenario_library, webhooks
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream
from deploy.local.ports import free_ports
from schemas import topics
from schemas.codec import framed
from schemas.records import FactKind, OutputKind, RecordKind, SessionFact, UtteranceStatus
from schemas.sessions import TERMINAL, State
from schemas.topics import Topic
from schemas.tracks import COMPOSED
from tests.integration.endings.conftest import CUSTOMERS, LONG_S, PATIENCE_S, Town, over, until
from tests.support.composed import likeness, pictured_at
from tests.support.groups import Lag
from tests.support.loudness import alike, loudness_meant, loudness_recorded
from tests.support.s3_server import s3_server
from tests.support.topics import INPUTS, unwritable

READ = {
    "muxing": topics.VIDEO,
    "transcription": topics.AUDIO,
    "sink-clickhouse": topics.TRANSCRIPTS,
    "sink-objects": topics.RECORDING_SEGMENTS,
    "lifecycle": topics.SESSION_FACTS,
}
"""One input of each kind of reader, by its group."""

GONE = ("transcription", "participants", "muxing", "sink-clickhouse")
DEADLINE_S = 40
"""In which a session that meets no trouble is connected, and written down when it is over, on a busy machine too."""


async def flowing(town: Town, zoom: Simulator, **fields: object) -> tuple[Stream, str]:
    """A meeting that is connected and of which there is something to read."""
    stream = await zoom.start(MeetingRequest(seconds=LONG_S, stream_id=uuid.uuid4().hex))
    session = await town.announce(zoom, stream, **fields)
    await town.until(session, "connected")
    await until(lambda: asyncio.to_thread(town.of, topics.AUDIO, session), "audio")
    return stream, session


async def end(town: Town, stream: Stream) -> None:
    body = {"zoom_rtms": {"rtms_stream_id": stream.identity.stream_id}}
    (await asyncio.to_thread(town.http.post, "/app_sessions/end", json=body)).raise_for_status()


def poison(town: Town, topic: Topic, session: str) -> list[int]:
    """Offsets of what nobody can use, in the middle of what the session is."""
    own = town.decoder.codec.schema_id(topic)
    useless = (b"\x7fnonsense", b"", framed(0x7FFFFFFF, b"x"), framed(own, b"\xff" * 9))
    return [town.write(topic, session.encode(), value) for value in useless]


async def test_records_that_nobody_can_use_in_the_middle_of_a_session(town: Town, zoom: Simulator) -> None:
    stream, session = await flowing(town, zoom)
    bad = {(topic.name, offset) for topic in INPUTS for offset in await asyncio.to_thread(poison, town, topic, session)}
    await over(stream)
    done = await town.until(session, "ended")
    assert (done["recording_state"], done["transcription_state"]) == ("complete", "complete")
    assert (done["failures"], done["holes"]) == ([], [])
    assert town.ends(session) == ["ended"]

    async def all_put_aside() -> bool:
        return bad <= (await town.letters()).keys()

    await until(all_put_aside, "dead letters")


async def test_a_transcript_that_nobody_could_make(town: Town, zoom: Simulator) -> None:
    with town.no_recogniser() as met:
        stream, session = await flowing(town, zoom, transcription_settings={"moonshine": {"language": "en"}})
        await over(stream)
        done = await town.until(session, "ended")
        assert len(list(met.iterdir())) > 1, "one has died, and one was frozen"
    reasons = await check_not_understood(town, session, done, "internal_error")
    assert all("ended or fell silent" in reason for reason in reasons)


async def test_a_transcript_whose_speech_service_is_gone_for_good(town: Town, zoom: Simulator) -> None:
    stream, session = await flowing(town, zoom, transcription_settings={"openai": {"model": "whisper-1"}})
    await over(stream)
    await check_not_understood(town, session, await town.until(session, "ended"), "transcription_request_failed")


async def check_not_understood(town: Town, session: str, done: dict[str, Any], code: str) -> set[str]:
    """All that was said has failed, and the session says so; for which reasons."""
    *utterances, last = await asyncio.to_thread(town.of, topics.TRANSCRIPTS, session)
    count = len(utterances)
    assert count
    assert {utterance.status for utterance in utterances} == {UtteranceStatus.FAILED}
    assert last.kind is OutputKind.END
    assert (done["recording_state"], done["transcription_state"]) == ("complete", "failed")
    assert done["failures"] == [f"transcript: utterances_failed: {count} of {count} ({code})"]
    assert done["events"][-1]["event_metadata"]["transcription_errors"] == [code]
    assert town.ends(session) == ["ended"]
    return {utterance.reason for utterance in utterances}


async def test_a_worker_that_dies_between_the_six_ends(town: Town, zoom: Simulator) -> None:
    stream, session = await flowing(town, zoom)

    def ended() -> dict[str, list[int]]:
        found = {topic.name: town.of(topic, session) for topic in topics.MEDIA_TOPICS}
        return {
            name: [record.epoch for record in records if record.kind is RecordKind.END]
            for name, records in found.items()
        }

    async def five() -> bool:
        return sum(bool(epochs) for epochs in (await asyncio.to_thread(ended)).values()) == 5

    with unwritable(town.kafka, topics.CAPTIONS, town.producer):
        await end(town, stream)
        await until(five, "the ends on the other topics")
        await town.until(session, "disconnecting")
        await asyncio.to_thread(town.kill, "ingest")
    await asyncio.to_thread(town.start, "ingest")
    done = await town.until(session, "ended")
    epochs = await asyncio.to_thread(ended)
    first, second = epochs["rtms.audio"]
    assert first < second
    # What the first had sent when it was killed may still have found its way, once the broker took it again.
    assert epochs.pop("rtms.captions") in ([second], [first, second])
    assert all(written == [first, second] for written in epochs.values()), epochs
    assert (done["recording_state"], done["transcription_state"], done["failures"]) == ("complete", "complete", [])
    assert town.ends(session) == ["ended"]
    for topic in (topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.RECORDING_SEGMENTS):
        ends = [record for record in town.of(topic, session) if record.kind is OutputKind.END]
        assert len({repr(record) for record in ends}) == 1, topic.name


def delete_all(town: Town, *deleted: Topic) -> None:
    """What retention does, at once: everything that stands in these topics now."""
    admin = AdminClient(town.kafka.admin_config())
    ends = [TopicPartition(topic.name, 0, -1) for topic in deleted]
    for answer in admin.delete_records(ends).values():
        answer.result(PATIENCE_S)


@contextmanager
def frozen(pid: int | None) -> Iterator[None]:
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_what_retention_took_unread_is_missing_and_said_so(town: Town, zoom: Simulator) -> None:
    for group, topic in READ.items():  # whoever has never read anything has lost nothing
        await asyncio.to_thread(poison, town, topic, "app_nobodys")
        lag = Lag(town.kafka, group, [topic.name])
        await until(lambda lag=lag: asyncio.to_thread(lambda: not lag()), f"{group} has read")
    stream, session = await flowing(town, zoom)
    await asyncio.to_thread(town.kill, "sink-clickhouse", "sink-objects")
    for topic in (topics.TRANSCRIPTS, topics.RECORDING_SEGMENTS):
        await grown(town, topic, session)
    await asyncio.to_thread(town.kill, "transcription", "lifecycle")
    with frozen(town.services["muxing"].pid):  # it was fast enough, and is overtaken as it runs
        for topic in (topics.AUDIO, topics.VIDEO, topics.VIDEO):  # the first may have been under way to it
            await grown(town, topic, session)
        lost = SessionFact(session_id=session, kind=FactKind.EVENTS_FAILED, reason="said in vain")
        town.write(topics.SESSION_FACTS, session.encode(), town.decoder.codec.encode(topics.SESSION_FACTS, lost))
        await asyncio.to_thread(delete_all, town, *READ.values())
    await asyncio.to_thread(town.start, "lifecycle", "transcription", "sink-clickhouse", "sink-objects")

    sure = {(topic.name.removeprefix("rtms."), f"retention: not read by {group}") for group, topic in READ.items()}

    async def holes() -> set[tuple[str, str]]:
        return {(hole["medium"], hole["cause"]) for hole in (await town.session(session))["holes"]}

    async def all_said() -> bool:
        return sure <= await holes()

    await until(all_said, "the holes in the session")
    await end(town, stream)
    done = await town.until(session, "ended")
    assert await holes() <= sure | {("audio", "retention: not read by muxing")}, "it may have missed sound as well"
    assert all(hole["from_ms"] < hole["to_ms"] for hole in done["holes"])
    assert [failure.split(":")[0] for failure in sorted(done["failures"])] == ["recording", "transcript"]
    assert town.ends(session) == ["ended"]
    others = {state.session_id: state for state in town.of(topics.APP_SESSIONS) if state.session_id != session}
    causes = {hole.cause for state in others.values() if state.state in TERMINAL for hole in state.holes}
    assert [cause for cause in causes if cause.startswith("retention")] == [], "they had lost nothing to it"


async def grown(town: Town, topic: Topic, session: str) -> None:
    """Wait for another record of the session."""

    def count() -> int:
        return len(town.of(topic, session))

    known = await asyncio.to_thread(count)

    async def more() -> bool:
        return await asyncio.to_thread(count) > known

    await until(more, f"more of {topic.name}")


def object_in(endpoint: str, bucket: str, name: str) -> bytes | None:
    """What a customer finds there."""
    with suppress(NotFoundError):
        storage = S3Store(
            bucket, endpoint=endpoint, access_key_id="AKIA1", secret_access_key="s3cret", region="us-east-1",
            virtual_hosted_style_request=False, client_options={"allow_http": True},
        )  # fmt: skip
        return bytes(obstore.get(storage, name).bytes())
    return None


async def recording_of(town: Town, session: str) -> bytes:
    found = await asyncio.to_thread(town.http.get, f"/app_sessions/{session}/media")
    url = found.raise_for_status().json()["url"]
    return (await asyncio.to_thread(httpx.get, url, timeout=PATIENCE_S, trust_env=False)).raise_for_status().content


async def test_a_copy_in_the_customers_bucket_is_there_when_the_session_has_ended(town: Town, zoom: Simulator) -> None:
    """Or the session says why it is not, and has its recording all the same."""
    wanted = {"bucket_name": CUSTOMERS, "recording_file_name": "weekly/Ünïcode 1.mp4"}
    refused = await asyncio.to_thread(town.http.post, "/app_sessions", json={
        "zoom_rtms": {"meeting_uuid": "m", "rtms_stream_id": "s", "server_urls": zoom.url},
        "external_media_storage_settings": wanted,
    })  # fmt: skip
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("External media storage credentials are required ")
    await asyncio.to_thread(town.let_copy_to, town.bucket.url)
    (stream, copied), (other, nowhere) = await asyncio.gather(
        flowing(town, zoom, external_media_storage_settings=wanted),
        flowing(town, zoom, external_media_storage_settings={"bucket_name": "nobodys-bucket"}),
    )
    await over(stream, other)
    done, without = await asyncio.gather(town.until(copied, "ended"), town.until(nowhere, "ended"))
    assert (done["failures"], done["recording_state"]) == ([], "complete")
    assert (without["failures"], without["recording_state"]) == (
        ["external_media_storage: bucket_not_found"], "complete",
    )  # fmt: skip
    assert without["events"][-1]["event_metadata"]["failures"] == without["failures"]
    recording = await recording_of(town, copied)
    assert await asyncio.to_thread(object_in, town.bucket.url, CUSTOMERS, "weekly/Ünïcode 1.mp4") == recording
    assert await recording_of(town, nowhere)
    await asyncio.to_thread(town.http.post, f"/app_sessions/{copied}/delete_data")

    async def erased() -> dict[str, Any] | None:
        answer = await asyncio.to_thread(town.http.get, f"/app_sessions/{copied}/data_deletion")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found if found["complete"] else None

    receipt = await until(erased, "the receipt")
    assert receipt["external_copy"] == wanted | {"size_bytes": len(recording)}
    assert await asyncio.to_thread(object_in, town.bucket.url, CUSTOMERS, "weekly/Ünïcode 1.mp4") == recording


async def test_a_copy_that_waits_for_its_bucket_survives_the_sink(town: Town, zoom: Simulator, tmp_path: Path) -> None:
    """The customer's storage is away when the recording is finished, and the sink is killed meanwhile."""
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    await asyncio.to_thread(town.let_copy_to, endpoint)
    wanted = {"bucket_name": CUSTOMERS}
    stream, session = await flowing(town, zoom, external_media_storage_settings=wanted)
    await over(stream)
    await town.holds(topics.SESSION_FACTS, session, lambda fact: fact.kind is FactKind.RECORDING_STORED)
    await asyncio.to_thread(town.kill, "sink-objects")
    await town.until(session, "post_processing")  # not over, whoever is behind with what was said before
    with s3_server(port, tmp_path / "s3.log", CUSTOMERS):
        await asyncio.to_thread(town.start, "sink-objects")
        done = await town.until(session, "ended")
        assert await asyncio.to_thread(object_in, endpoint, CUSTOMERS, f"{session}.mp4") == await recording_of(
            town, session
        )
    assert done["failures"] == []
    assert town.ends(session) == ["ended"]


async def test_row_12_a_view_that_has_to_be_drawn_is_there_when_the_session_has_ended(
    town: Town, zoom: Simulator
) -> None:
    """Whoever draws it is killed in the middle; beside it stand what it was drawn of, the speaker and the screens."""
    stream = await zoom.start(replace(scenario_library.load("two-sharers"), stream_id=uuid.uuid4().hex))
    session = await town.announce(zoom, stream, recording_settings={"view": "side_by_side_view"})
    await town.holds(topics.SESSION_FACTS, session, lambda fact: fact.kind is FactKind.RECORDING_STORED)
    assert (await asyncio.to_thread(town.http.get, f"/app_sessions/{session}/media")).status_code == 404
    town.hire("composing", "processors", "composing")
    await asyncio.to_thread(town.start, "composing")
    await town.holds(topics.RECORDING_SEGMENTS, session, lambda segment: segment.track == COMPOSED)
    await asyncio.to_thread(town.kill, "composing")
    await asyncio.to_thread(town.start, "composing")
    done = await town.until(session, "ended")
    assert (done["failures"], done["recording_state"]) == ([], "complete")
    assert town.ends(session) == ["ended"]
    tracks = await asyncio.to_thread(town.http.get, f"/app_sessions/{session}/media/tracks")
    beside = {track["kind"]: track["url"] for track in tracks.raise_for_status().json()["tracks"]}
    assert beside.keys() == {"share", "recording"}
    whole = await recording_of(town, session)
    parts = {kind: (await asyncio.to_thread(httpx.get, url, trust_env=False)).content for kind, url in beside.items()}
    for at_s, is_shared in ((1.01, False), (5.01, True), (12.01, True)):
        shown, speaker, screen = (pictured_at(film, at_s) for film in (whole, parts["recording"], parts["share"]))
        assert likeness(shown[72:648, :1024], screen) > 0.975 or not is_shared
        assert likeness(shown[72:216, 1024:] if is_shared else shown, speaker) > 0.975


NO_MEETINGS = {"contact-center": "g722", "video-sdk-session": "opus", "phone-call": "g711"}


async def test_what_is_no_meeting_ends_as_one_does(town: Town, zoom: Simulator) -> None:
    """Other ids, events and codecs, channels for people: asked for by the payload of the webhook that announces it."""
    requests = [replace(scenario_library.load(name), stream_id=uuid.uuid4().hex) for name in NO_MEETINGS]
    streams = [await zoom.start(request) for request in requests]
    sessions = [
        await town.ask(webhooks.started(stream.identity, zoom.signalling_url(stream)), rtms_settings={"audio": sound})
        for stream, sound in zip(streams, ({"codec": codec} for codec in NO_MEETINGS.values()), strict=True)
    ]
    for stream, session in zip(streams, sessions, strict=True):
        done = await town.until(session, "ended")
        assert (done["failures"], done["holes"], town.ends(session)) == ([], [], ["ended"])
        there = {person.name for person in stream.meeting.participants}
        assert {person["name"] for person in await town.of_session(session, "participants")} == there
        events = await town.of_session(session, "participant_events")
        assert sorted((event["participant_name"], event["event_type"]) for event in events) == [
            (name, kind) for name in sorted(there) for kind in ("join", "leave")
        ]
        said = {utterance["speaker_name"] for utterance in await town.of_session(session, "transcript")}
        assert set() < {caption["user_name"] for caption in stream.truth.captions} <= said <= there
        recorded = loudness_recorded(await recording_of(town, session))
        assert alike(recorded, loudness_meant(stream.meeting.script)) > 0.8, "another meeting gives 0.2"


@pytest.mark.timeout(900)
async def test_what_is_never_stored_is_given_up_in_time_and_welcome_later(town: Town, zoom: Simulator) -> None:
    """One session meets a bucket that refuses, one has lost its processors and a sink, to one Zoom never answers."""
    deadlines = {
        "RTMS_INGEST_CONNECTING_DEADLINE_S": str(DEADLINE_S),
        "RTMS_INGEST_POST_PROCESSING_DEADLINE_S": str(DEADLINE_S),
    }
    await asyncio.to_thread(lambda: town.replace("ingest", **deadlines))
    with ExitStack() as stack:
        mute = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        await asyncio.to_thread(town.moto.close)
        stack.enter_context(town.bucket.refusing(403, "AccessDenied"))
        unanswered = await town.request(uuid.uuid4().hex, f"ws://127.0.0.1:{mute.getsockname()[1]}/")
        stream, refused = await flowing(town, zoom)
        await over(stream)
        await awaiting(town, refused, "recording")
        await asyncio.to_thread(town.kill, *GONE)
        stream, forsaken = await flowing(town, zoom)
        await over(stream)
        failed = await town.until(unanswered, "fatal_error")
        given_up = await town.until(refused, "ended"), await town.until(forsaken, "ended")
    assert failed["events"][-1]["sub_type"] == "connection_timeout"
    assert "in time" in failed["events"][-1]["event_metadata"]["reason"]
    late = [f"{what}: not stored in time" for what in ("recording", "transcript", "events")]
    assert [session["failures"] for session in given_up] == [late[:1], late]
    assert [session["recording_state"] for session in given_up] == ["failed", "failed"]
    assert [session["transcription_state"] for session in given_up] == ["complete", "failed"]
    assert town.bucket.refused[403]
    with town.bucket.refusing(500, "InternalError"):
        await until(lambda: asyncio.to_thread(town.bucket.refused.get, 500), "another try")
    await asyncio.to_thread(town.open_bucket)
    await asyncio.to_thread(town.start, *GONE)

    async def whole(session_id: str) -> bool:
        found = await town.session(session_id)
        return (found["recording_state"], found["transcription_state"]) == ("complete", "complete")

    for session in (refused, forsaken):
        await until(lambda session=session: whole(session), "what came late")
        assert town.ends(session) == ["ended"], "said once, whatever came later"
    assert town.ends(unanswered) == ["fatal_error"]


async def awaiting(town: Town, session: str, *what: str) -> None:
    """Wait until nothing but this is missing after the session's end."""

    async def only() -> bool:
        states = await asyncio.to_thread(town.of, topics.APP_SESSIONS, session)
        return states[-1].state == State.ENDED or (bool(states[-1].awaiting) and states[-1].awaiting == what)

    await until(only, f"{session} awaits {what}")
