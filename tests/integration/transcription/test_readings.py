"""Real speech through everything but Kafka: records in, utterances out, word errors counted."""

from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from deploy.local.words import word_error_rate
from processors.transcription import metrics
from processors.transcription.application import TranscriptionApplication
from processors.transcription.logic import AUDIO, CAPTIONS
from processors.transcription.settings import TranscriptionSettings
from schemas.records import Codec, Utterance, UtteranceStatus
from schemas.settings import Engine, SessionSettings
from tests.support import readings
from tests.support.encoded_sound import CHUNK_MS, RATES_HZ, encoded
from tests.support.spoken import BOTH, START_MS, Microphone, frames, silence, topic, voice
from tests.support.transcribed import transcribed

SESSION = "app_0000000000000002"
T = START_MS


@pytest.fixture
async def application() -> AsyncIterator[TranscriptionApplication]:
    application = TranscriptionApplication(TranscriptionSettings())
    await application.start()
    yield application
    await application.stop()


async def transcript(
    application: TranscriptionApplication,
    microphones: Sequence[Microphone],
    settings: SessionSettings = BOTH,
    shown: list[Utterance] | None = None,
) -> list[Utterance]:
    """What a session with these microphones has on `transcripts`. See `transcribed`."""
    until_ms = max(m.from_ms + len(m.pcm) // (2 * m.channels) * 1000 // m.rate_hz for m in microphones) + 3000
    audio = topic(SESSION, frames(SESSION, microphones), until_ms=until_ms, settings=settings)
    captions = topic(SESSION, [], until_ms=until_ms, settings=settings)
    written = await transcribed(application, SESSION, {AUDIO: audio, CAPTIONS: captions}, shown)
    assert written[-1].count <= len(written) - 1
    return written[:-1]


def text(utterances: Sequence[Utterance], participant_id: int = 1) -> str:
    own = sorted((u for u in utterances if u.participant_id == participant_id), key=lambda u: u.start_ms)
    return " ".join(u.text for u in own)


@pytest.mark.parametrize("chunk_ms", [20, 100])
async def test_two_people_who_talk_at_once_are_each_understood(
    application: TranscriptionApplication, chunk_ms: int
) -> None:
    long, short = readings.reading("two_cities"), readings.reading("beckett")
    microphones = [
        Microphone(1, T, long.pcm, "Ada", chunk_ms),
        Microphone(2, T + 20_000, short.pcm, "Bo", chunk_ms),
    ]
    utterances = await transcript(application, microphones)
    assert {u.status for u in utterances} == {UtteranceStatus.FINAL}
    assert {(u.participant_id, u.participant_name) for u in utterances} == {(1, "Ada"), (2, "Bo")}
    assert len({u.utterance_id for u in utterances}) == len(utterances)
    assert word_error_rate(long.text, text(utterances, 1)) <= 0.10
    assert word_error_rate(short.text, text(utterances, 2)) <= 0.10


async def test_what_is_heard_ahead_has_the_same_words(application: TranscriptionApplication) -> None:
    microphones = [Microphone(1, T, readings.reading("beckett").pcm + silence(1000), chunk_ms=100)]
    as_ever = await transcript(application, microphones)
    used, shown = metrics.AHEAD.labels("used")._value.get(), list[Utterance]()
    assert await transcript(application, microphones, shown=shown) == as_ever
    assert metrics.AHEAD.labels("used")._value.get() - used == len(as_ever) > 0
    assert shown == []


@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 1), (48_000, 2)])
async def test_other_rates_are_understood_as_well(
    application: TranscriptionApplication, rate_hz: int, channels: int
) -> None:
    recorded_hz, pcm = readings.raw("two_cities")
    assert recorded_hz == rate_hz
    payload = np.repeat(np.frombuffer(pcm, dtype="<i2"), channels).tobytes()
    utterances = await transcript(application, [Microphone(1, T, payload, rate_hz=rate_hz, channels=channels)])
    assert word_error_rate(readings.TWO_CITIES, text(utterances)) <= 0.10


@pytest.mark.parametrize(("codec", "channels"), [(Codec.G711, 1), (Codec.G722, 1), (Codec.OPUS, 2)])
async def test_every_codec_is_understood(application: TranscriptionApplication, codec: Codec, channels: int) -> None:
    rate_hz = RATES_HZ[codec]
    spoken = np.repeat(np.frombuffer(readings.reading("beckett").pcm, "<i2"), 3)  # at 48 kHz
    means = spoken[: len(spoken) // 960 * 960].reshape(-1, 48_000 // rate_hz).mean(axis=1)
    microphone = Microphone(1, T, means.astype("<i2").tobytes(), chunk_ms=CHUNK_MS, rate_hz=rate_hz)
    coded = encoded(frames(SESSION, [microphone]), codec, channels)
    until_ms = coded[-1].timestamp_ms + 3000
    topics = {AUDIO: topic(SESSION, coded, until_ms=until_ms), CAPTIONS: topic(SESSION, [], until_ms=until_ms)}
    *utterances, _ = await transcribed(application, SESSION, topics)
    assert word_error_rate(readings.BECKETT, text(utterances)) <= 2 / 12  # of 12 short words


def noise(level: float, ms: int) -> bytes:
    return np.random.default_rng(3).normal(0, level, 16 * ms).astype("<i2").tobytes()


def beeps(ms: int) -> bytes:
    """1 kHz for 40 ms every two seconds."""
    seconds = np.arange(16 * ms) / 16_000
    return (12_000 * np.sin(2 * np.pi * 1000 * seconds) * (seconds % 2 < 0.04)).astype("<i2").tobytes()


@pytest.mark.parametrize(
    "pcm",
    [silence(5000), noise(30, 5000), noise(300, 5000), noise(4000, 5000), beeps(8000), voice(3000)],
    ids=["silence", "room", "noise", "loud noise", "beeps", "humming"],
)
async def test_no_words_come_from_what_is_no_speech(application: TranscriptionApplication, pcm: bytes) -> None:
    assert await transcript(application, [Microphone(1, T, pcm)]) == []


async def test_what_cannot_be_recognised_says_why(application: TranscriptionApplication) -> None:
    nobodys = Microphone(1, T, b"?" * 19_200, codec=Codec.UNKNOWN, rate_hz=48_000)
    (utterance,) = await transcript(application, [nobodys])
    assert utterance.status is UtteranceStatus.FAILED
    assert utterance.reason == "unsupported audio: unknown 48000 Hz x 1"
    spanish = SessionSettings(engines=(Engine.MOONSHINE,), language="es-ES")
    (utterance,) = await transcript(application, [Microphone(1, T, voice(2000))], spanish)
    assert utterance.status is UtteranceStatus.FAILED
    assert "'es-ES'" in (utterance.reason or "")
