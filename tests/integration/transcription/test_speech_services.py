"""Real speech through everything but Kafka, heard by speech services on the network, or by who stands in for them."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from deploy.local.words import word_error_rate
from processors.transcription.application import TranscriptionApplication
from processors.transcription.logic import AUDIO, CAPTIONS
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised
from processors.transcription.settings import TranscriptionSettings
from schemas.records import Utterance, UtteranceStatus
from schemas.settings import Engine, SessionSettings
from tests.support import readings
from tests.support.deepgram_live import Refusal, Trouble, counted
from tests.support.processes import PATIENCE_S
from tests.support.speech_service import KEY, Asked, SpeechServer, speech_server
from tests.support.spoken import START_MS, Microphone, frames, silence, topic, voice
from tests.support.transcribed import transcribed

SESSION = "app_0000000000000003"
T = START_MS
HUMMED = Microphone(1, T, voice(1000) + silence(900) + voice(700), "Ada")


def session(*engines: Engine, **options: object) -> SessionSettings:
    return SessionSettings(engines=engines, engine_options=json.dumps(options))


async def transcript(
    settings: TranscriptionSettings,
    asked: SessionSettings,
    microphones: Sequence[Microphone] = (HUMMED,),
    custom_async_url: str = "",
    shown: list[Utterance] | None = None,
) -> list[Utterance]:
    """What a session with these microphones has on `transcripts`, its end aside, in order of time.

    Where there is `shown`, partials are looked for, and are that.
    """
    until_ms = T + 30_000
    audio = topic(SESSION, frames(SESSION, microphones), until_ms=until_ms, settings=asked)
    captions = topic(SESSION, [], until_ms=until_ms, settings=asked)
    application = TranscriptionApplication(settings, custom_async_url=custom_async_url)
    try:
        *said, _ = await transcribed(application, SESSION, {AUDIO: audio, CAPTIONS: captions}, shown)
    finally:
        await application.stop()
    return sorted(said, key=lambda one: (one.participant_id, one.start_ms))


async def test_a_server_of_ones_own_understands_two_people_and_says_when_each_word_was() -> None:
    """The server's model is the local recogniser: what it hears came over the network as it was said."""
    pool, loop = Pool(TranscriptionSettings()), asyncio.get_running_loop()

    def hear(asked: Asked) -> str:
        found = asyncio.run_coroutine_threadsafe(pool.recognise(asked.pcm, 16_000), loop).result(PATIENCE_S)
        assert isinstance(found, Recognised)
        return found.text

    long, short = readings.reading("two_cities"), readings.reading("beckett")
    people = [Microphone(1, T, long.pcm[: 32 * 9000], "Ada"), Microphone(2, T + 4000, short.pcm, "Bo")]
    try:
        with speech_server(SpeechServer(hear=hear)) as server:
            settings = TranscriptionSettings(openai_base_url=f"{server.url}/v1", openai_api_key=KEY)
            said = await transcript(settings, session(Engine.OPENAI, openai={"model": "tiny"}), people)
    finally:
        await pool.stop()
    texts = [" ".join(one.text for one in said if one.participant_id == who) for who in (1, 2)]
    assert texts[0].startswith("It was the best of times")
    assert word_error_rate(readings.BECKETT, texts[1]) <= 0.10
    for one in said:
        assert (one.status, one.engine, one.recognised_by) == (UtteranceStatus.FINAL, "openai", None)
        assert (one.model, one.language) == ("tiny", "en")
        assert [word.word for word in one.words] == one.text.split()
        times = [at_ms for word in one.words for at_ms in (word.start_ms, word.end_ms)]
        assert times == sorted(times)
        assert one.start_ms <= times[0]
        assert times[-1] <= one.end_ms + 200  # a little of the pause is sent along


@pytest.mark.parametrize(
    ("engine", "options"),
    [(Engine.DEEPGRAM, {"language": "en"}), (Engine.CUSTOM_ASYNC, {"language": "en", "model": "nova-3"})],
)
async def test_every_service_gives_the_same_records(engine: Engine, options: dict[str, object]) -> None:
    with speech_server() as server:
        url = server.url
        settings = TranscriptionSettings(
            openai_base_url=f"{url}/v1",
            openai_api_key=KEY,
            deepgram_base_url=url,
            deepgram_api_key=KEY,
        )
        said = await transcript(settings, session(engine, **{engine: options}), custom_async_url=f"{url}/transcribe")
        byname = await transcript(settings, session(Engine.OPENAI, openai={"language": "en", "model": "nova-3"}))
    assert [one.start_ms - T for one in said] == [0, 1800]
    assert {one.engine for one in said} == {engine}
    assert all(one.text.startswith("heard ") and len(one.words) == 3 for one in said)
    seen = [(one.start_ms, one.end_ms, one.participant_name, one.language, one.model, one.status) for one in said]
    assert seen == [(o.start_ms, o.end_ms, o.participant_name, o.language, o.model, o.status) for o in byname]


TALK = Microphone(1, T, voice(3_000) + silence(900) + voice(300) + silence(900) + voice(18_000), "Ada")


def dictated(server: SpeechServer) -> TranscriptionSettings:
    return TranscriptionSettings(
        deepgram_base_url=server.url, deepgram_api_key=KEY, dictation_limit_s=0.5, retry_delay_s=0.05
    )


def told(utterances: Sequence[Utterance]) -> list[tuple[object, ...]]:
    return [(one.utterance_id, one.start_ms, one.end_ms, one.status, one.engine, one.model) for one in utterances]


async def test_what_a_service_heard_while_it_was_spoken_is_not_asked_for_again() -> None:
    shown = list[Utterance]()
    with speech_server(SpeechServer(hear=lambda asked: counted(asked.seconds))) as server:
        expected = await transcript(dictated(server), session(Engine.DEEPGRAM, deepgram={}), [TALK])
        server.asked.clear()
        server.live.patience_s = PATIENCE_S
        asked = session(Engine.DEEPGRAM, deepgram={"partials": True})
        said = await transcript(
            dictated(server).model_copy(update={"dictation_limit_s": PATIENCE_S}), asked, [TALK], "", shown
        )
    assert told(said) == told(expected)
    first, short, *monologue = said
    assert [one.text for one in (first, short)] == [one.text for one in expected[:2]]
    assert len(server.asked) == 1, "for what was too short to be told meanwhile"
    assert [call.closed for call in server.live.calls] == [1000] * (1 + len(monologue))
    lengths = [(one.end_ms - one.start_ms) / 1000 + 0.1 for one in (first, *monologue)]
    assert server.live.seconds <= sum(lengths) + 4.0, "what was cut off is told again, nothing else is"
    assert abs(len(monologue[0].words) - counted(lengths[1]).count(" ") - 1) <= 1
    assert {one.utterance_id for one in shown} <= {one.utterance_id for one in said}
    finals = {one.utterance_id: one for one in said}
    for partial in shown:
        assert partial.revision < finals[partial.utterance_id].revision
        assert partial.text


@pytest.mark.parametrize(
    "met",
    [Refusal(401), Refusal(429), Refusal(503), Trouble("cut", 1.0), Trouble("closed", 2.0), Trouble("garbage", 0.5),
     Trouble("silent"), Trouble("deaf", 0.5), Trouble("lingers"), Trouble("short", 99.0)],
    ids=str,
)  # fmt: skip
async def test_whatever_happens_while_it_is_spoken_nothing_is_missing(met: Refusal | Trouble) -> None:
    """Not even late: it is asked for as soon as that is known, and with no other reason than ever."""
    with speech_server(SpeechServer(hear=lambda asked: counted(asked.seconds))) as server:
        server.live.patience_s = 1.0
        server.live.plan.append(met)
        said = await transcript(
            dictated(server), session(Engine.DEEPGRAM, deepgram={"partials": True}), [TALK], shown=[]
        )
        expected = await transcript(dictated(server), session(Engine.DEEPGRAM, deepgram={}), [TALK])
    assert told(said) == told(expected)
    assert said[0].text == expected[0].text == counted(said[0].end_ms / 1000 - T / 1000 + 0.1)


async def test_who_stands_in_is_named_and_the_ids_stay() -> None:
    asked = session(Engine.OPENAI, Engine.CUSTOM_ASYNC, openai={"model": "m"})
    with speech_server() as server, speech_server() as down:
        both = TranscriptionSettings(
            openai_base_url=f"{server.url}/v1", openai_api_key=KEY, retry_delay_s=0.05,
        )  # fmt: skip
        url = f"{server.url}/transcribe"
        expected = await transcript(both, asked, custom_async_url=url)
        down.is_down = True
        one_down = both.model_copy(update={"openai_base_url": f"{down.url}/v1", "fallback_after_s": 0.3})
        said = await transcript(one_down, asked, custom_async_url=url)
    assert [one.utterance_id for one in said] == [one.utterance_id for one in expected]
    assert {(one.engine, one.recognised_by, one.model) for one in expected} == {("openai", None, "m")}
    assert {(one.engine, one.recognised_by, one.model) for one in said} == {("openai", "custom_async", None)}


async def test_the_local_recogniser_stands_in_for_a_service_that_is_away() -> None:
    long = readings.reading("two_cities")
    people = [Microphone(1, T, long.pcm[: 32 * 9000], "Ada")]
    asked = session(Engine.OPENAI, Engine.MOONSHINE, openai={"model": "m"})
    settings = TranscriptionSettings(openai_base_url="http://127.0.0.1:1/v1", fallback_after_s=0.2, retry_delay_s=0.05)
    said = await transcript(settings, asked, people)
    assert said[0].text.startswith("It was the best of times")
    assert {(one.engine, one.recognised_by, one.model) for one in said} == {("openai", "moonshine", "tiny-en")}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"openai_api_key": "wrong", "retry_budget_s": PATIENCE_S}, "credentials_invalid"),
     ({"openai_base_url": "https://api.openai.com/v1"}, "credentials_not_found"),
     ({"openai_base_url": "http://127.0.0.1:1/v1"}, "transcription_request_failed")],
)  # fmt: skip
async def test_when_nobody_can_the_transcript_ends_and_says_why(changes: dict[str, object], reason: str) -> None:
    with speech_server() as server:
        values = {"openai_base_url": f"{server.url}/v1", "retry_budget_s": 2.0, "retry_delay_s": 0.05} | changes
        said = await transcript(TranscriptionSettings.model_validate(values), session(Engine.OPENAI))
    assert len(said) == 2
    assert {(one.status, one.reason, one.text, one.engine) for one in said} == {("failed", reason, "", "openai")}
