"""The whole processor killed in the middle of a meeting: the transcript is that of an undisturbed run."""

import asyncio
import random
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.settings import KafkaSettings
from deploy.local.server import Server
from processors.transcription.application import TranscriptionApplication
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.settings import TranscriptionSettings
from schemas import topics
from schemas.ids import credential_id, session_id
from schemas.records import (
    Credential,
    CredentialKind,
    OutputKind,
    Utterance,
    UtteranceStatus,
)
from schemas.settings import Engine, SessionSettings
from tests.support import readings
from tests.support.aloud import Inputs, is_for_partials, kill_alone, killed_aloud, send
from tests.support.deepgram_live import counted
from tests.support.groups import Lag, begin_at_the_ends
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.settings import kafka_settings
from tests.support.speech_service import KEY, Asked, Reply, SpeechServer, speech_server
from tests.support.spoken import (
    BOTH,
    DICTATED,
    START_MS,
    WITH_PARTIALS,
    Microphone,
    caption,
    frames,
    silence,
    topic,
    voice,
)
from tests.support.topics import values
from tests.support.transcribed import transcribed

T = START_MS
MEETING_MS = 26_000
SPEED = 1.5
KILLS = 3


MERGING = replace(BOTH, engine_options='{"zoom":{"merge_consecutive_captions":true}}')


def meeting(name: str) -> Inputs:
    """Two people who read, at times both at once, and Zoom's captions of a third, of which two each are merged; some
    are changed before they are told, and some afterwards."""
    long, short = readings.reading("two_cities"), readings.reading("beckett")
    microphones = [
        Microphone(1, T, long.pcm[: 32 * (MEETING_MS - 1500)], "Ada"),
        Microphone(2, T + 6000, short.pcm, "Bo"),
    ]
    said = [caption(name, 0, T + 3000 * (number // 2) + 950 * (number % 2), f"line {number}") for number in range(12)]
    changes = [
        replace(said[about], operation=operation, text=f"changed {about}", timestamp_ms=said[about].end_ms + late_ms)
        for about, operation, late_ms in ((1, "update", 200), (2, "update", 9_000), (5, "delete", 8_000))
    ]
    ordered = enumerate(sorted([*said, *changes], key=lambda one: one.timestamp_ms))
    captions = [replace(one, sequence=at) for at, one in ordered]
    return {
        topics.AUDIO.name: topic(name, frames(name, microphones), until_ms=T + MEETING_MS, settings=MERGING),
        topics.CAPTIONS.name: topic(name, captions, until_ms=T + MEETING_MS, settings=MERGING),
    }


async def undisturbed(name: str, inputs: Inputs, settings: TranscriptionSettings | None = None) -> list[Utterance]:
    application = TranscriptionApplication(settings or TranscriptionSettings())
    try:
        return await transcribed(application, name, inputs)
    finally:
        await application.stop()


def write(kafka: KafkaSettings, decoder: Decoder, name: str, inputs: Inputs, speed: float = SPEED) -> None:
    """Both topics in step with the meeting's own clock, only faster."""
    producer = create_producer(kafka, CONTROL)
    rows = [(record.timestamp_ms, name_, record) for name_, records in inputs.items() for record in records]
    began = time.monotonic()
    for at_ms, name_, record in sorted(rows, key=lambda row: row[0]):
        time.sleep(max(0.0, began + (at_ms - T) / 1000 / speed - time.monotonic()))
        send(producer, kafka, decoder, name_, record)
    assert producer.close() == 0


@dataclass
class Run:
    """One processor that is killed `kills` times while a meeting is written `speed` times as fast as it was held."""

    topics_ready: dict[str, str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    kills: int = KILLS
    speed: float = SPEED
    pause_s: tuple[float, float] = (0.5, 3.0)
    group: str = field(default_factory=lambda: uuid.uuid4().hex)

    def killed(self, name: str, inputs: Inputs) -> tuple[list[Utterance], str]:
        """What is on `transcripts` in the end, and the processor's log."""
        kafka = kafka_settings(self.topics_ready)
        env = self.topics_ready | {"RTMS_SECRETS_KEYS": KeyRing.generate()} | self.env
        env |= {"RTMS_PROCESSORS_GROUP_PREFIX": f"{self.group}-", "RTMS_PROCESSORS_INSTANCE_ID": "0"}
        begin_at_the_ends(kafka, f"{self.group}-transcription", TranscriptionLogic.topics)
        lag = Lag(kafka, f"{self.group}-transcription", TranscriptionLogic.topics)
        process = service(["-m", "processors", "transcription"], env, self.folder / "transcription.log")
        dice = random.Random(self.group)

        def found() -> list[Utterance]:
            return values(kafka, topics.TRANSCRIPTS, [name])

        process.start()
        decoder = Decoder.from_settings(kafka)
        writer = threading.Thread(target=write, args=(kafka, decoder, name, inputs, self.speed))
        writer.start()
        try:
            for _ in range(self.kills):
                process.wait_ready()
                time.sleep(dice.uniform(*self.pause_s))  # no condition to wait for: the moment is meant to be arbitrary
                kill_alone(process)
                process.launch()
            writer.join()
            process.wait_ready()
            # It may have ended before the last kill: what is not committed comes once more, and the end behind it.
            wait_for(lambda: not lag(), PATIENCE_S, lambda: f"not committed: {lag()}, see {process.log}")
            has_ended = lambda: [u.kind for u in found()][-1:] == [OutputKind.END]  # noqa: E731
            wait_for(has_ended, PATIENCE_S, lambda: f"the transcript has no end: see {process.log}")
        finally:
            writer.join()
            process.stop()
        return found(), process.log.read_text()


async def test_killed_in_the_middle_of_a_meeting(topics_ready, tmp_path) -> None:
    name = session_id("proj_kills", uuid.uuid4().hex)
    inputs = meeting(name)
    expected = await undisturbed(name, inputs)
    written, log = await asyncio.to_thread(Run(topics_ready, tmp_path).killed, name, inputs)
    assert {(u.utterance_id, u.revision): u for u in written} == {(u.utterance_id, u.revision): u for u in expected}
    assert [u for u in written if u not in expected] == []
    zooms = {u.utterance_id: u.text for u in expected if u.engine == Engine.ZOOM}
    assert list(zooms.values()) == [
        "line 0 changed 1", "changed 2 line 3", "line 4", "line 6 line 7", "line 8 line 9", "line 10 line 11",
    ]  # fmt: skip
    assert written[-1].kind is OutputKind.END
    assert "stopped" in log


PROJECT = "proj_kills"


def short_meeting(name: str) -> Inputs:
    """Two people who say something now and then, heard by a speech service alone."""
    settings = SessionSettings(engines=(Engine.OPENAI,), engine_options='{"openai": {"model": "own"}}')
    phrases = [silence(600) + voice(600 + 170 * number) for number in range(7)]
    microphones = [
        Microphone(1, T, b"".join(phrases), "Ada"),
        Microphone(2, T + 900, b"".join(reversed(phrases)), "Bo"),
    ]
    until_ms = T + 15_000
    return {
        topics.AUDIO.name: topic(
            name, frames(name, microphones), until_ms=until_ms, settings=settings, project_id=PROJECT
        ),
        topics.CAPTIONS.name: topic(name, [], until_ms=until_ms, settings=settings, project_id=PROJECT),
    }


def slow_words(asked: Asked) -> str:
    """The longer the utterance, the sooner the answer: the next is heard before the one before it."""
    time.sleep(max(0.0, 1.0 - asked.seconds / 2))
    return f"heard {asked.seconds:.2f} seconds"


def own_key(kafka: KafkaSettings, api_key: str) -> str:
    """Write what a project has of its own for OpenAI, as the API does; the key ring that opens it."""
    decoder, producer, kind = Decoder.from_settings(kafka), create_producer(kafka, CONTROL), CredentialKind.OPENAI
    credential = Credential(
        credential_id=credential_id(PROJECT, kind),
        project_id=PROJECT,
        kind=kind,
        secret_encrypted=KeyRing([ring := KeyRing.generate()]).encrypt(api_key),
        created_at_ms=1,
    )
    value = decoder.codec.encode(topics.CREDENTIALS, credential)
    producer.send_blocking(topics.CREDENTIALS, credential.credential_id.encode(), value, 0)
    producer.close()
    return ring


async def test_killed_while_a_speech_service_is_asked(topics_ready, tmp_path) -> None:
    """The service fails at times, too; what it says for the same sound is the same, so nothing may differ.

    It is asked with the project's own key: it refuses the operator's.
    """
    name = session_id("proj_kills", uuid.uuid4().hex)
    inputs = short_meeting(name)
    with speech_server(SpeechServer(hear=slow_words)) as server:
        url = f"{server.url}/v1"
        expected = await undisturbed(name, inputs, TranscriptionSettings(openai_base_url=url, openai_api_key=KEY))
        server.plan.extend([Reply(503), Reply(429, headers={"Retry-After": "0.2"}), Reply(drop=True), Reply(200, b"{")])
        env = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "the operators", "RETRY_DELAY_S": "0.1"}
        env = {f"RTMS_TRANSCRIPTION_{setting}": value for setting, value in env.items()}
        env["RTMS_SECRETS_KEYS"] = own_key(kafka_settings(topics_ready), KEY)
        run = Run(topics_ready, tmp_path, env, kills=2, speed=4, pause_s=(0.2, 1.2))
        written, log = await asyncio.to_thread(run.killed, name, inputs)
    assert not server.plan
    assert [u.status for u in expected] == [UtteranceStatus.FINAL] * 15
    assert {u.utterance_id: u for u in written} == {u.utterance_id: u for u in expected}
    for speaker in (1, 2):
        first_of_each = dict.fromkeys(u.start_ms for u in written if u.participant_id == speaker)
        assert list(first_of_each) == sorted(first_of_each)
    assert all(len(u.words) == 3 for u in expected if u.kind is OutputKind.ITEM)
    assert "heard" not in log
    assert KEY not in log


def read_aloud(name: str, settings: SessionSettings = WITH_PARTIALS) -> Inputs:
    """One who reads the longer reading, in a session with partials."""
    pcm = readings.reading("two_cities").pcm[: 32 * 9_500]
    until_ms = T + 12_500
    return {
        topics.AUDIO.name: topic(name, frames(name, [Microphone(1, T, pcm)]), until_ms=until_ms, settings=settings),
        topics.CAPTIONS.name: topic(name, [], until_ms=until_ms, settings=settings),
    }


async def test_partials_come_while_somebody_speaks_and_change_nothing(topics_ready, tmp_path) -> None:
    name = session_id("proj_kills", uuid.uuid4().hex)
    inputs = read_aloud(name)

    def is_asked(process: Server) -> bool:
        """A recogniser for partials is begun to be asked something."""
        return any(is_for_partials(child) for child in psutil.Process(process.pid).children())

    env = topics_ready | {"RTMS_SECRETS_KEYS": KeyRing.generate()}
    aloud, first = await killed_aloud(env, tmp_path, inputs, is_asked)
    written = {u.utterance_id: u for u in aloud.finals()}
    assert written == {u.utterance_id: u for u in await undisturbed(name, inputs)}
    assert first.status is UtteranceStatus.PARTIAL
    assert written[first.utterance_id].text.startswith("It was the best of times")
    assert first.text.startswith("It was")
    for partial in aloud.partials():
        final = written[partial.utterance_id]
        assert 0 < partial.revision < final.revision
        assert (partial.start_ms, partial.engine, partial.model) == (final.start_ms, final.engine, final.model)
    assert "best of times" not in aloud.process.log.read_text()


async def test_a_service_hears_who_speaks_and_what_it_is_asked_afterwards_is_the_same(topics_ready, tmp_path) -> None:
    """Partials are the service's, and finals come from the same connection, where it lived to the end."""
    name = session_id("proj_kills", uuid.uuid4().hex)
    inputs, heard_by = read_aloud(name, DICTATED), set[int | None]()
    with speech_server(SpeechServer(hear=lambda asked: counted(asked.seconds))) as server:
        server.live.every_s, server.live.patience_s = 0.4, PATIENCE_S
        changes = {"DEEPGRAM_BASE_URL": server.url, "DEEPGRAM_API_KEY": KEY, "DICTATION_LIMIT_S": str(PATIENCE_S)}
        env = topics_ready | {f"RTMS_TRANSCRIPTION_{setting}": value for setting, value in changes.items()}
        env["RTMS_SECRETS_KEYS"] = KeyRing.generate()

        def is_asked(process: Server) -> bool:
            """Each of the two processes opens a connection for the utterance."""
            heard_by.add(process.pid)
            return len(server.live.calls) >= len(heard_by)

        aloud, first = await killed_aloud(env, tmp_path, inputs, is_asked)
        is_told = [call.pcm for call in server.live.calls if call.closed == 1000]
        posted = len(server.asked)
        settings = TranscriptionSettings(deepgram_base_url=server.url, deepgram_api_key=KEY)
        expected = await undisturbed(name, inputs, settings)
    written = {u.utterance_id: replace(u, words=()) for u in aloud.finals()}
    assert written == {u.utterance_id: replace(u, words=()) for u in expected}
    assert len(aloud.finals()) == len(written)
    assert (first.status, first.engine) == (UtteranceStatus.PARTIAL, Engine.DEEPGRAM)
    assert first.utterance_id in written
    for partial in aloud.partials():
        assert 0 < partial.revision < written[partial.utterance_id].revision
    assert posted + len(is_told) == len(written) - 1, "nobody is asked for what was told already"
    log = aloud.process.log.read_text()
    assert KEY not in log
    assert "one two" not in log
