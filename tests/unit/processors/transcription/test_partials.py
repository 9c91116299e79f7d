"""When there is a partial: often enough, not too often, and never before what is final."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from connectors.speech.exchange import Heard
from connectors.speech.exchange import Word as HeardWord
from processors.checkpoint.assignments import Assignment, Input
from processors.shell.applications import Output
from processors.sound.formats import AudioFormat
from processors.transcription import metrics
from processors.transcription.application import TranscriptionApplication
from processors.transcription.configured import dictations_of
from processors.transcription.dictation import Glimpsed
from processors.transcription.endpointing import Speech
from processors.transcription.engines import Question
from processors.transcription.keys import NoKeys
from processors.transcription.local import LocalEngine
from processors.transcription.logic import AUDIO, CAPTIONS, DICTATED_MS, GLIMPSE_MS, SLACK_MS, TranscriptionLogic
from processors.transcription.partials import LATE_MS, SpokenPartials
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import SpeechWork
from schemas.records import Audio, Codec, Utterance
from schemas.settings import Engine, SessionSettings
from tests.support.spoken import BOTH, DICTATED, START_MS, WITH_PARTIALS, Microphone, begin, frames, silence, voice

SESSION = "app_0000000000000001"
T = START_MS
SOURCE = Input(AUDIO, 0)


def spoken_partials(
    logic: TranscriptionLogic, settings: TranscriptionSettings, is_behind: Callable[[], bool] = lambda: False
) -> SpokenPartials:
    return SpokenPartials(logic, settings, is_behind, LocalEngine(Pool(settings)), dictations_of(settings, NoKeys()))


class Listening:
    """A session whose partials are asked for after each of its frames; `late_ms`, `is_behind`, `under_way` for all."""

    def __init__(self, settings: SessionSettings = WITH_PARTIALS, **operators: int) -> None:
        self.logic, self.is_behind = TranscriptionLogic(), False
        wanted = TranscriptionSettings.model_validate(operators)
        self.partials = spoken_partials(self.logic, wanted, lambda: self.is_behind)
        self.settings = settings
        self.late_ms, self.under_way = 0, list[SpeechWork]()
        self.assignment = Assignment(self.logic, "a", {SOURCE: 0, Input(CAPTIONS, 0): 0}, ())
        self.assignment.feed(SOURCE, 0, SESSION, begin(SESSION, T, settings=settings), 1)

    def hear(self, chunks: Sequence[Audio]) -> list[tuple[int, SpeechWork]]:
        """What is shown, and after how many ms of the frames."""
        shown = []
        for chunk in chunks:
            self.assignment.feed(SOURCE, self.assignment.next[SOURCE], SESSION, chunk, 1)
            track = self.assignment.track_of(SOURCE, chunk)
            if track is None or not self.partials.is_due(track):
                continue
            work = self.partials.seen(track, self.late_ms, self.under_way)
            if isinstance(work, SpeechWork):
                shown.append((chunk.timestamp_ms + 100 - T, work))
        return shown


def works(by: Engine, count: int) -> list[SpeechWork]:
    """So many that are under way."""
    audio = AudioFormat(Codec.L16, 16_000, 1)
    return [SpeechWork(1, None, "en", Speech(T, T + 600, audio, b"", 600), (by,))] * count


def spoken(*pcm: bytes, who: int = 1) -> list[Audio]:
    return frames(SESSION, [Microphone(who, T, b"".join(pcm))])


def test_somebody_who_speaks_is_shown_again_and_again_and_never_late() -> None:
    shown = Listening().hear(spoken(voice(9_000)))
    assert [work.speech.start_ms for _, work in shown] == [T] * len(shown)
    heard_ms = [work.speech.heard_ms for _, work in shown]
    assert heard_ms == [GLIMPSE_MS * n for n in range(1, (9_000 - SLACK_MS) // GLIMPSE_MS + 1)]
    assert all(at_ms - heard_ms <= SLACK_MS + 100 for (at_ms, _), heard_ms in zip(shown, heard_ms, strict=True))


def test_nothing_new_is_said_in_a_pause() -> None:
    before, after = (Listening().hear(spoken(voice(1_600), more)) for more in (b"", silence(3_000)))
    assert len(after) == 1_600 // GLIMPSE_MS
    assert [work.speech.heard_ms for _, work in after][: len(before)] == [w.speech.heard_ms for _, w in before]


def test_each_utterance_begins_anew() -> None:
    shown = Listening().hear(spoken(voice(1_500), silence(1_000), voice(1_500), silence(1_000)))
    assert [work.speech.heard_ms for _, work in shown] == [GLIMPSE_MS, 2 * GLIMPSE_MS] * 2
    first, again, second, once_more = (work.id_in(SESSION) for _, work in shown)
    assert first == again != second == once_more


def test_who_did_not_ask_gets_none() -> None:
    for engines in ((Engine.MOONSHINE,), (Engine.MOONSHINE, Engine.ZOOM)):
        assert Listening(SessionSettings(engines=engines)).hear(spoken(voice(4_000))) == []
    captions = Listening(SessionSettings(engines=(Engine.ZOOM,)))
    assert not captions.partials.is_wanted(captions.assignment.part_of(SOURCE, SESSION))
    assert not captions.partials.is_wanted(None)


def test_who_asked_is_known_by_what_the_topic_says() -> None:
    listening = Listening()
    assert listening.partials.is_wanted(listening.assignment.part_of(SOURCE, SESSION))


def test_what_nobody_knows_the_language_of_is_not_guessed() -> None:
    assert Listening(replace(WITH_PARTIALS, language="de")).hear(spoken(voice(4_000))) == []


@pytest.mark.parametrize("why", ["late", "behind", "busy"])
def test_a_partial_is_skipped_and_made_up_for_by_the_next(why: str) -> None:
    listening, chunks = Listening(), spoken(voice(4_000))
    listening.late_ms = LATE_MS + 1 if why == "late" else LATE_MS
    listening.is_behind, listening.under_way = why == "behind", works(Engine.MOONSHINE, why == "busy")
    counted = metrics.PARTIALS.labels(why)._value
    before = counted.get()
    assert listening.hear(chunks[:20]) == []
    assert counted.get() - before == 1_700 // GLIMPSE_MS, "as often as one was due, not with every frame"
    listening.late_ms, listening.is_behind, listening.under_way = 0, False, []
    (_, first), *_ = listening.hear(chunks[20:])
    assert first.speech.heard_ms == 1_700, "of all that was said, at once"


@pytest.mark.parametrize(("settings", "topics"), [(WITH_PARTIALS, ["transcript-partials"]), (BOTH, [])])
async def test_what_was_shown_is_taken_back_where_there_was_no_word_in_it(
    settings: SessionSettings, topics: list[str]
) -> None:
    listening = Listening(settings)
    [window] = [
        window
        for chunk in spoken(voice(1_500), silence(1_000))
        for window in listening.assignment.feed(SOURCE, listening.assignment.next[SOURCE], SESSION, chunk, 1)
    ]
    application = TranscriptionApplication(TranscriptionSettings())
    application._chain.recognise = hears_nothing  # type: ignore[method-assign]
    written = await application.render(SESSION, window.work)
    assert [output.topic.name for output in written] == topics
    for output in written:
        assert isinstance(output, Output)
        assert isinstance(output.record, Utterance)
        assert isinstance(window.work, SpeechWork)
        assert (output.record.text, output.record.revision) == ("", window.work.revision)


async def hears_nothing(asked: Question, engines: Sequence[Engine]) -> tuple[Engine, Recognised]:
    return Engine.MOONSHINE, Recognised(())


def test_a_service_is_told_more_often_and_looked_at_whatever_language_it_is() -> None:
    shown = Listening(replace(DICTATED, language="de")).hear(spoken(voice(4_000), silence(1_000), voice(1_000)))
    first = [work for _, work in shown if work.speech.start_ms == T]
    heard_ms = [work.speech.heard_ms for work in first]
    assert heard_ms == list(range(GLIMPSE_MS, 4_000 + 1, DICTATED_MS))
    assert shown[len(first)][1].speech.start_ms > T, "and the next one as late as ever"
    assert shown[len(first)][1].speech.heard_ms == GLIMPSE_MS


@pytest.mark.parametrize(("why", "is_shown"), [("late", False), ("busy", False), ("behind", True)])
def test_a_service_does_not_wait_for_the_local_recogniser(why: str, is_shown: bool) -> None:
    listening = Listening(DICTATED)
    listening.late_ms = LATE_MS + 1 if why == "late" else 0
    listening.is_behind, listening.under_way = why == "behind", works(Engine.DEEPGRAM, 64 * (why == "busy"))
    assert bool(listening.hear(spoken(voice(2_000)))) is is_shown


def test_there_are_none_where_the_operator_wants_none() -> None:
    for settings, none in ((WITH_PARTIALS, {"partial_workers": 0}), (DICTATED, {"dictations": 0})):
        for operators, is_shown in (({}, True), (none, False)):
            assert bool(Listening(settings, **operators).hear(spoken(voice(2_000)))) is is_shown


async def test_what_a_service_understands_is_shown_as_of_when_it_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Listening(DICTATED)
    _, work = listening.hear(spoken(voice(2_000)))[-1]
    said = Glimpsed(Heard("one two", (HeardWord("one", 0.1, 0.4),), "en", "nova-3"), 900)
    asked = list[Question]()

    async def glimpsed(question: Question) -> Glimpsed | None:
        asked.append(question)
        return said if len(asked) == 1 else None

    monkeypatch.setattr(listening.partials._dictations, "glimpsed", glimpsed)
    [output] = await listening.partials.render(SESSION, work)
    partial = output.record
    assert isinstance(partial, Utterance)
    assert (partial.utterance_id, partial.revision, partial.status) == (work.id_in(SESSION), 900, "partial")
    assert (partial.start_ms, partial.end_ms, partial.engine, partial.model) == (T, T + 900, "deepgram", "nova-3")
    assert (partial.text, partial.language, partial.recognised_by) == ("one two", "en", None)
    assert (partial.words[0].start_ms, partial.words[0].end_ms) == (T + 100, T + 400)
    assert asked[0].utterance_id == work.id_in(SESSION)
    assert await listening.partials.render(SESSION, work) == []


@pytest.mark.parametrize(("by", "most"), [(Engine.MOONSHINE, 1), (Engine.DEEPGRAM, 64)])
def test_what_is_under_way_elsewhere_makes_nobody_busy(by: Engine, most: int) -> None:
    other = Engine.DEEPGRAM if by is Engine.MOONSHINE else Engine.MOONSHINE
    for count, is_shown in ((most - 1, True), (most, False)):
        listening = Listening(WITH_PARTIALS if by is Engine.MOONSHINE else DICTATED)
        listening.under_way = works(by, count) + works(other, 100)
        assert bool(listening.hear(spoken(voice(2_000)))) is is_shown


@pytest.mark.parametrize(
    ("engines", "by"),
    [(["deepgram", "moonshine"], Engine.DEEPGRAM), (["moonshine"], Engine.MOONSHINE), (["openai", "moonshine"], None),
     (["of tomorrow"], None), (["zoom"], None)],
)  # fmt: skip
def test_whoever_is_asked_first_tells_partials_or_nobody_does(engines: list[str], by: Engine | None) -> None:
    """Also of a state that a newer release has left: no sound goes to a service that was not asked for."""
    part = {"engines": engines, "language": "en", "partials": True}
    assert TranscriptionLogic().partials_by(part) is by
    assert TranscriptionLogic().partials_by(part | {"partials": False}) is None
