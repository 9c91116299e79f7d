"""What is likely over is heard before that is certain, and the words are the same as ever."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from processors.checkpoint.assignments import Assignment, Input
from processors.transcription import metrics
from processors.transcription.configured import dictations_of
from processors.transcription.endpointing import HANG_OVER_MS
from processors.transcription.engines import Question
from processors.transcription.keys import NoKeys
from processors.transcription.local import MOST_AHEAD, LocalEngine
from processors.transcription.logic import AUDIO, CAPTIONS, LIKELY_MS, SLACK_MS, TranscriptionLogic
from processors.transcription.partials import LATE_MS, Likely, SpokenPartials
from processors.transcription.recogniser import Recognised, Recognition, Segment, Unrecognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import SpeechWork
from schemas.records import Audio
from schemas.settings import Engine, SessionSettings
from tests.support.spoken import START_MS, WITH_PARTIALS, Microphone, begin, frames, silence, voice

SESSION = "app_0000000000000001"
T = START_MS
CHUNK_MS = 100
SOURCE = Input(AUDIO, 0)
LOCAL = SessionSettings(engines=(Engine.MOONSHINE,))


@dataclass
class Recogniser:
    """Stands for the processes: all it hears, it says the length of, when it may."""

    asked: list[bytes] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    is_idle: bool = True
    is_deaf_ahead: bool = False

    async def recognise(self, pcm: bytes, sample_rate_hz: int, budget_s: float) -> Recognition:
        self.asked.append(pcm)
        await self.may_answer.wait()
        return Recognised((Segment(f"{len(pcm)} at {sample_rate_hz}", 0, 1),))

    async def glimpsed(self, pcm: bytes, sample_rate_hz: int) -> Recognition:
        found = await self.recognise(pcm, sample_rate_hz, 0)
        return Unrecognised("died") if self.is_deaf_ahead else found

    async def stop(self) -> None: ...


class Listening:
    """A session of which is asked after each frame what is likely over."""

    def __init__(self, settings: SessionSettings = LOCAL) -> None:
        self.logic, self.pool = TranscriptionLogic(), Recogniser()
        wanted = TranscriptionSettings()
        engine, dictations = LocalEngine(self.pool), dictations_of(wanted, NoKeys())  # type: ignore[arg-type]
        self.partials = SpokenPartials(self.logic, wanted, lambda: False, engine, dictations)
        self.assignment = Assignment(self.logic, "a", {SOURCE: 0, Input(CAPTIONS, 0): 0}, ())
        self.assignment.feed(SOURCE, 0, SESSION, begin(SESSION, T, settings=settings), 1)
        self.late_ms = 0
        self.cut: list[tuple[int, SpeechWork]] = []

    def hear(self, chunks: Sequence[Audio]) -> list[tuple[int, SpeechWork]]:
        """What is likely over, and after how many ms of the frames."""
        found = []
        for chunk in chunks:
            now_ms = chunk.timestamp_ms + CHUNK_MS - T
            windows = self.assignment.feed(SOURCE, self.assignment.next[SOURCE], SESSION, chunk, 1)
            self.cut += [(now_ms, window.work) for window in windows if isinstance(window.work, SpeechWork)]
            if not self.partials.is_wanted(self.assignment.part_of(SOURCE, SESSION)):
                continue
            track = self.assignment.track_of(SOURCE, chunk)
            if track is not None and self.partials.is_due(track):
                work = self.partials.seen(track, self.late_ms, ())
                found += [(now_ms, work.work)] if isinstance(work, Likely) else []
        return found


def spoken(*pcm: bytes) -> list[Audio]:
    return frames(SESSION, [Microphone(1, T, b"".join(pcm))])


@pytest.mark.parametrize("settings", [LOCAL, WITH_PARTIALS])
def test_it_is_asked_for_once_in_time_and_is_what_is_cut(settings: SessionSettings) -> None:
    listening = Listening(settings)
    [(at_ms, likely)] = listening.hear(spoken(voice(3_000), silence(2_000)))
    [(cut_ms, work)] = listening.cut
    assert at_ms <= 3_000 + LIKELY_MS + SLACK_MS + CHUNK_MS
    assert cut_ms - at_ms >= HANG_OVER_MS - LIKELY_MS - CHUNK_MS, "or it would be no use"
    assert replace(likely, speech=replace(likely.speech, heard_ms=0)) == replace(
        work, speech=replace(work.speech, heard_ms=0)
    )


def test_whoever_speaks_on_is_asked_for_again() -> None:
    listening = Listening()
    found = listening.hear(spoken(voice(2_000), silence(340), voice(2_000), silence(2_000)))
    assert [work.speech.end_ms - T for _, work in found] == [2_000, 4_340]
    [(_, work)] = listening.cut
    assert work.speech.pcm == found[1][1].speech.pcm != found[0][1].speech.pcm
    assert {found[0][1].id_in(SESSION), found[1][1].id_in(SESSION)} == {work.id_in(SESSION)}


@pytest.mark.parametrize(
    "settings",
    [
        replace(LOCAL, language="de"),
        SessionSettings(engines=(Engine.ZOOM,)),
        SessionSettings(engines=(Engine.DEEPGRAM, Engine.MOONSHINE)),
    ],
)
def test_only_what_the_local_recogniser_is_asked_first_and_can_hear(settings: SessionSettings) -> None:
    assert Listening(settings).hear(spoken(voice(3_000), silence(2_000))) == []


def test_it_waits_for_a_process_that_has_nothing_to_do() -> None:
    chunks = spoken(voice(3_000), silence(2_000))
    listening = Listening()
    listening.pool.is_idle = False
    assert listening.hear(chunks[:36]) == []
    listening.pool.is_idle = True
    [(at_ms, _)] = listening.hear(chunks[36:])
    assert at_ms == 3_700
    late = Listening()
    late.late_ms = LATE_MS + 1
    assert late.hear(chunks) == []


def asked(pcm: bytes = b"01" * 8, utterance_id: str = "utt_1", **changes: Any) -> Question:
    return replace(Question(pcm, 16_000, "en", utterance_id=utterance_id), **changes)


def counted(result: str) -> float:
    value: float = metrics.AHEAD.labels(result)._value.get()
    return value


async def text_of(engine: LocalEngine, question: Question) -> str:
    found = await engine.recognise(question, asyncio.get_running_loop().time() + 10)
    assert isinstance(found, Recognised)
    assert found.model == "tiny-en"
    return found.text


async def test_the_same_sound_is_heard_once_whether_it_is_heard_by_then_or_not() -> None:
    for is_early in (True, False):
        pool, before = Recogniser(), counted("used")
        engine = LocalEngine(pool)  # type: ignore[arg-type]
        engine.hear_ahead(asked())
        if is_early:
            pool.may_answer.set()
        waiting = asyncio.create_task(text_of(engine, asked()))
        await asyncio.sleep(0)
        pool.may_answer.set()
        assert await waiting == "16 at 16000"
        assert (len(pool.asked), counted("used") - before) == (1, 1)
        assert await text_of(engine, asked()) == "16 at 16000"
        assert len(pool.asked) == 2, "what was used is not kept"


@pytest.mark.parametrize("other", [{"pcm": b"0101"}, {"sample_rate_hz": 8_000}, {"utterance_id": "utt_2"}])
async def test_another_sound_is_heard_by_itself(other: dict[str, Any]) -> None:
    pool = Recogniser()
    engine = LocalEngine(pool)  # type: ignore[arg-type]
    pool.may_answer.set()
    engine.hear_ahead(asked())
    await asyncio.sleep(0)
    question = asked(**other)
    assert await text_of(engine, question) == f"{len(question.pcm)} at {question.sample_rate_hz}"
    assert len(pool.asked) == 2


async def test_what_could_not_be_heard_ahead_is_heard_again() -> None:
    pool, before = Recogniser(is_deaf_ahead=True), counted("unused")
    engine = LocalEngine(pool)  # type: ignore[arg-type]
    pool.may_answer.set()
    engine.hear_ahead(asked())
    assert await text_of(engine, asked()) == "16 at 16000"
    assert (len(pool.asked), counted("unused") - before) == (2, 1)


async def test_little_is_kept_and_the_last_of_an_utterance_counts() -> None:
    pool, before = Recogniser(), counted("unused")
    engine = LocalEngine(pool)  # type: ignore[arg-type]
    pool.may_answer.set()
    engine.hear_ahead(asked(b"01"))
    for number in range(MOST_AHEAD):
        engine.hear_ahead(asked(utterance_id=f"utt_{number}"))
    await text_of(engine, asked())
    assert len(pool.asked) == MOST_AHEAD + 1
    assert counted("unused") - before == 1, "of utt_1, which went on"
    engine.hear_ahead(asked(utterance_id="utt_1"))
    engine.hear_ahead(asked(utterance_id="utt_99"))
    await asyncio.sleep(0)
    await text_of(engine, asked(utterance_id="utt_0"))
    assert (len(pool.asked), counted("unused") - before) == (MOST_AHEAD + 4, 2), "of utt_0, which was the oldest"


async def test_who_stops_waits_for_nobody() -> None:
    engine = LocalEngine(Recogniser())  # type: ignore[arg-type]
    engine.hear_ahead(asked())
    await asyncio.sleep(0)
    await engine.stop()
