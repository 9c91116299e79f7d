"""When there is a partial: often enough, not too often, and never before what is final."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from processors.checkpoint.assignments import Assignment, Input
from processors.shell.applications import Output
from processors.transcription import metrics
from processors.transcription.application import TranscriptionApplication
from processors.transcription.engines import Question
from processors.transcription.logic import AUDIO, CAPTIONS, GLIMPSE_MS, SLACK_MS, TranscriptionLogic
from processors.transcription.partials import LATE_MS, SpokenPartials
from processors.transcription.recogniser import Recognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import SpeechWork
from schemas.records import Audio, Utterance
from schemas.settings import Engine, SessionSettings
from tests.support.spoken import BOTH, START_MS, WITH_PARTIALS, Microphone, begin, frames, silence, voice

SESSION = "app_0000000000000001"
T = START_MS
SOURCE = Input(AUDIO, 0)


class Listening:
    """A session whose partials are asked for after each of its frames; `late_ms`, `is_behind` and `is_busy` for all."""

    def __init__(self, settings: SessionSettings = WITH_PARTIALS) -> None:
        self.logic, self.is_behind = TranscriptionLogic(), False
        self.partials = SpokenPartials(self.logic, TranscriptionSettings(), lambda: self.is_behind)
        self.settings = settings
        self.late_ms, self.is_busy = 0, False
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
            work = self.partials.seen(track, self.late_ms, is_busy=self.is_busy)
            if work is not None:
                assert isinstance(work, SpeechWork)
                shown.append((chunk.timestamp_ms + 100 - T, work))
        return shown


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
        listening = Listening(SessionSettings(engines=engines))
        assert listening.hear(spoken(voice(4_000))) == []
        assert not listening.partials.is_wanted(listening.assignment.part_of(SOURCE, SESSION))
    assert not Listening().partials.is_wanted(None)


def test_who_asked_is_known_by_what_the_topic_says() -> None:
    listening = Listening()
    assert listening.partials.is_wanted(listening.assignment.part_of(SOURCE, SESSION))


def test_what_nobody_knows_the_language_of_is_not_guessed() -> None:
    assert Listening(replace(WITH_PARTIALS, language="de")).hear(spoken(voice(4_000))) == []


@pytest.mark.parametrize("why", ["late", "behind", "busy"])
def test_a_partial_is_skipped_and_made_up_for_by_the_next(why: str) -> None:
    listening, chunks = Listening(), spoken(voice(4_000))
    listening.late_ms = LATE_MS + 1 if why == "late" else LATE_MS
    listening.is_behind, listening.is_busy = why == "behind", why == "busy"
    counted = metrics.PARTIALS.labels(why)._value
    before = counted.get()
    assert listening.hear(chunks[:20]) == []
    assert counted.get() - before == 1_700 // GLIMPSE_MS, "as often as one was due, not with every frame"
    listening.late_ms, listening.is_behind, listening.is_busy = 0, False, False
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
