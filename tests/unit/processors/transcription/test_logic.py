"""Which utterances a session has: the same for every order of topics, every crash and every replay."""

import random
from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.folds import FOREVER_MS, NEVER_MS
from processors.checkpoint.sessions import Session
from processors.checkpoint.windows import Cut, Entry, Progress, Track
from processors.transcription.caption_lines import CaptionWork
from processors.transcription.logic import AUDIO, CAPTIONS, SLACK_MS, TranscriptionLogic
from processors.transcription.works import EndWork, SpeechWork, caption_utterance
from schemas.records import Audio, Codec, MediaRecord
from schemas.settings import Engine, SessionSettings
from tests.support.captioned import fed
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.encoded_sound import encoded
from tests.support.spoken import (
    BOTH,
    DICTATED,
    START_MS,
    WITH_PARTIALS,
    Microphone,
    begin,
    caption,
    end,
    frames,
    silence,
    tick,
    topic,
    voice,
)  # fmt: skip

SESSION = "app_0000000000000001"
T = START_MS


def works(audio: Sequence[MediaRecord], captions: Sequence[MediaRecord] = ()) -> list[object]:
    """What a session without trouble asks for; of captions nothing, where a test does not say."""
    return fed(audio, captions or topic(SESSION, [], until_ms=T + 1))


def spoken(works_found: Sequence[object]) -> list[tuple[int, int, int]]:
    """Participant, start and end (ms after T) of each utterance."""
    speech = [work for work in works_found if isinstance(work, SpeechWork)]
    return [(w.participant_id, w.speech.start_ms - T, w.speech.end_ms - T) for w in speech]


def test_each_participant_has_utterances_of_their_own() -> None:
    microphones = [
        Microphone(1, T + 500, silence(500) + voice(1500) + silence(2500), "Ada"),
        Microphone(2, T + 1500, voice(1000, 1), "Bo"),
    ]
    found = works(topic(SESSION, frames(SESSION, microphones), until_ms=T + 6000))
    assert sorted(spoken(found))[1] == (2, 1500, 2500)
    assert spoken(found)[0][:2] in ((1, 900), (2, 1500))
    names = {work.participant_id: work.participant_name for work in found if isinstance(work, SpeechWork)}
    assert names == {1: "Ada", 2: "Bo"}
    assert found[-1] == EndWork(0)


def test_captions_are_utterances_one_to_one_and_repetitions_none() -> None:
    said = [caption(SESSION, number, T + 1000 * number, f"line {number}") for number in range(3)]
    found = works(topic(SESSION, [], until_ms=T + 9000), topic(SESSION, [*said, said[1]], until_ms=T + 9000))
    assert found == [*(CaptionWork(one) for one in said), EndWork(3)]


@pytest.mark.parametrize(
    ("engines", "speech", "captions"),
    [((Engine.ZOOM,), 0, 1), ((Engine.MOONSHINE,), 1, 0), ((Engine.ZOOM, Engine.MOONSHINE), 1, 1), ((), 0, 0)],
)
def test_only_the_engines_that_the_session_asked_for(engines: tuple[Engine, ...], speech: int, captions: int) -> None:
    settings = SessionSettings(engines=engines)
    audio = topic(SESSION, frames(SESSION, [Microphone(1, T, voice(1000))]), until_ms=T + 3000, settings=settings)
    said = topic(SESSION, [caption(SESSION, 0, T, "hello")], until_ms=T + 3000, settings=settings)
    found = works(audio, said)
    assert len(spoken(found)) == speech
    assert sum(isinstance(work, CaptionWork) for work in found) == captions
    assert found[-1] == EndWork(captions)


def asked_of(settings: SessionSettings) -> tuple[tuple[Engine, ...], str]:
    """Who is asked for an utterance of a session with these settings, and with which options."""
    audio = topic(SESSION, frames(SESSION, [Microphone(1, T, voice(1000))]), until_ms=T + 3000, settings=settings)
    [work] = [work for work in works(audio) if isinstance(work, SpeechWork)]
    return work.engines, work.options


def test_engines_are_asked_in_their_order_with_the_sessions_options() -> None:
    engines = (Engine.MOONSHINE, Engine.ZOOM, Engine.OPENAI, Engine.DEEPGRAM, Engine.OPENAI)
    options = '{"openai":{"model":"m"}}'
    asked = asked_of(SessionSettings(engines=engines, engine_options=options))
    assert asked == ((Engine.DEEPGRAM, Engine.OPENAI, Engine.MOONSHINE), options)
    assert asked_of(SessionSettings(engines=(Engine.MOONSHINE,))) == ((Engine.MOONSHINE,), "{}")


def test_endless_options_are_nobodys() -> None:
    settings = SessionSettings(engines=(Engine.OPENAI,), engine_options='{"openai":"%s"}' % ("x" * 20_000))
    assert asked_of(settings) == ((Engine.OPENAI,), "{}")


def test_a_session_without_a_word_has_an_end_too() -> None:
    assert works([end(SESSION, T)], [end(SESSION, T)]) == [EndWork(0)]


def test_a_muted_participant_holds_nothing_back() -> None:
    """Ticks alone end the utterance and let everything go: the state moves on although no frame comes any more."""
    session = Session(SESSION, TranscriptionLogic())
    rows: list[MediaRecord] = [begin(SESSION, T), *frames(SESSION, [Microphone(1, T, voice(1000))])]
    rows += [tick(SESSION, T + 1000 * second) for second in range(2, 12)]
    for offset, record in enumerate(rows):
        for window in session.feed(AUDIO, offset, record):
            assert spoken([window.work]) == [(1, 0, 1000)]
            session.done(window)
    assert session.state().marks[AUDIO].offset == len(rows)
    assert not session.held_bytes()[AUDIO]


def test_an_utterance_is_written_as_soon_as_its_pause_is_certain() -> None:
    session = Session(SESSION, TranscriptionLogic())
    microphone = Microphone(1, T, voice(1000) + silence(3000), chunk_ms=20)
    for offset, record in enumerate([begin(SESSION, T), *frames(SESSION, [microphone])]):
        if session.feed(AUDIO, offset, record):
            assert record.timestamp_ms - T <= 1000 + 480 + SLACK_MS + 160
            return
    pytest.fail("no utterance before the end")


def test_one_utterance_spans_a_hand_over() -> None:
    chunks = frames(SESSION, [Microphone(1, T, voice(2000))])
    moved = [replace(r, epoch=7, sequence=i) if i >= 10 else r for i, r in enumerate(chunks)]
    assert spoken(works(topic(SESSION, moved, until_ms=T + 4000))) == [(1, 0, 2000)]


def test_audio_that_is_sent_again_counts_once() -> None:
    chunks = frames(SESSION, [Microphone(1, T, voice(2000))])
    again = [replace(r, epoch=7, sequence=i) for i, r in enumerate(chunks[7:])]
    assert spoken(works(topic(SESSION, [*chunks[:10], *again], until_ms=T + 4000))) == [(1, 0, 2000)]


def test_formats_may_change_and_what_cannot_be_heard_is_stated() -> None:
    microphones = [
        Microphone(1, T, voice(1000)),
        Microphone(1, T + 1000, voice(1000, 1, 48_000), rate_hz=48_000),
        Microphone(1, T + 2000, b"?" * 3200, codec=Codec.OPUS),
        Microphone(1, T + 2100, voice(1000, 1)),
    ]
    found = works(topic(SESSION, frames(SESSION, microphones), until_ms=T + 5000))
    assert spoken(found) == [(1, 0, 1000), (1, 1000, 2000), (1, 2000, 2020), (1, 2100, 3100)]
    heard = [work.speech.audio.sample_rate_hz for work in found if isinstance(work, SpeechWork) and work.speech.pcm]
    assert heard == [16_000, 48_000, 16_000]


@pytest.mark.parametrize("off_ms", [0, 10])
@pytest.mark.parametrize("chunk_ms", [20, 100, 1000])
def test_audio_that_is_sent_again_in_another_format_counts_once(chunk_ms: int, off_ms: int) -> None:
    """A cut at a moment of which both formats are there kept both, and came to it again for ever."""
    before = frames(SESSION, [Microphone(1, T, voice(2000), chunk_ms=chunk_ms)])
    again = Microphone(1, T + 1000 + off_ms, voice(2000, rate_hz=32_000), chunk_ms=chunk_ms, rate_hz=32_000)
    found = works(topic(SESSION, [*before, *frames(SESSION, [again], epoch=7)], until_ms=T + 6000))
    assert spoken(found) == [(1, 0, 2000), (1, 2000 + off_ms, 3000 + off_ms)]


def test_a_chunk_of_another_format_that_begins_in_what_was_heard_is_not_lost() -> None:
    before = frames(SESSION, [Microphone(1, T, voice(2000), chunk_ms=1000)])
    again = Microphone(1, T + 1500, voice(1000, rate_hz=32_000), chunk_ms=1000, rate_hz=32_000)
    found = works(topic(SESSION, [*before, *frames(SESSION, [again], epoch=7)], until_ms=T + 6000))
    assert spoken(found) == [(1, 0, 1500), (1, 1500, 2500)]


class Tracked:
    """A `Track` by hand."""

    def __init__(self, entries: list[Entry], progress: Progress) -> None:
        self.name = "1"
        self.entries = entries
        self.progress = progress
        self.scratch: object | None = None


def entries_of(session: list[MediaRecord]) -> list[Entry]:
    logic = TranscriptionLogic()
    held = Session(SESSION, logic)
    before = held.state().marks[AUDIO].fold
    part = logic.observe(AUDIO, None, session[0]).part
    return [
        Entry(AUDIO, offset, record, before._replace(part=part), 0)
        for offset, record in enumerate(session)
        if isinstance(record, Audio)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_the_law_of_cuts(seed: int) -> None:
    """A cut depends on final entries only, is the same for every higher watermark, and comes no later than promised."""
    rng = random.Random(seed)
    parts = [f(rng.choice((100, 400, 900, 2500))) for f in rng.choices((voice, silence), k=8)]
    microphones = [Microphone(1, T + rng.randrange(50), b"".join(parts[:4]))]
    microphones.append(Microphone(1, T + 11_000, b"".join(parts[4:]), rate_hz=rng.choice((16_000, 32_000))))
    entries = entries_of(topic(SESSION, frames(SESSION, microphones), until_ms=T + 30_000))
    logic, progress = TranscriptionLogic(), Progress(NEVER_MS, NEVER_MS, None)
    for _ in range(60):
        track = Tracked([e for e in entries if e.record.timestamp_ms >= progress.keep_from_ms], progress)
        final = logic.cut(track, FOREVER_MS)
        if isinstance(final, int):
            assert not track.entries
            break
        patient, wake_ms = Tracked(track.entries, progress), T
        for watermark_ms in range(T, T + 40_000, 50):
            known = [e for e in track.entries if e.record.timestamp_ms < watermark_ms]
            early = logic.cut(Tracked(known, progress), watermark_ms)
            step = logic.cut(patient, watermark_ms)
            assert isinstance(step, Cut) == isinstance(logic.cut(Tracked(track.entries, progress), watermark_ms), Cut)
            if isinstance(early, Cut) or isinstance(step, Cut):
                assert step == final
                assert early == final
                assert watermark_ms >= wake_ms
                break
            wake_ms = step
        progress = final.progress
    else:
        pytest.fail("never came to an end")


def identify(session_id: str, work: object) -> tuple[str, Hashable]:
    match work:
        case CaptionWork():
            said = caption_utterance(work)
            return f"{said.utterance_id}/{said.revision}", said
        case SpeechWork():
            return f"{session_id}/{work.participant_id}-{work.speech.start_ms}", work
        case _:
            return f"{session_id}/end", work


def troubled_session(
    rng: random.Random, session_id: str, codec: Codec = Codec.L16, settings: SessionSettings = BOTH
) -> dict[str, list[MediaRecord]]:
    """Two people, pauses of all lengths, muting, a hand-over, disorder, repetitions, late chunks, a zombie's frames."""
    microphones = [
        Microphone(person, at_ms + rng.randrange(150), b"".join(
            sound(rng.choice((60, 200, 700, 1500)), person) if sound is voice else silence(rng.choice((200, 600, 2600)))
            for sound in rng.choices((voice, silence), k=5)
        ), chunk_ms=200 if codec is Codec.L16 else 20)
        for person in (1, 2) for at_ms in (T, T + 14_000)
    ]  # fmt: skip
    chunks = encoded(frames(session_id, microphones), codec)
    change = rng.randrange(len(chunks))
    moved = [replace(r, epoch=9, sequence=i - change) if i >= change else r for i, r in enumerate(chunks)]
    head, tail = _disturbed(rng, moved[:change]), _disturbed(rng, moved[change:])
    audio = topic(session_id, [*head, *tail], until_ms=T + 30_000, settings=settings)
    zombies = [r for r in chunks if rng.random() < 0.05]
    for zombie in zombies:
        audio.insert(rng.randrange(len(audio) // 2, len(audio)), zombie)
    said = [caption(session_id, number, T + 2500 * number, f"line {number}") for number in range(6)]
    return {AUDIO: audio, CAPTIONS: topic(session_id, [*said, *said[-2:]], until_ms=T + 30_000)}


def _disturbed(rng: random.Random, records: Sequence[Audio]) -> list[Audio]:
    ordered = [r for _, r in sorted(enumerate(records), key=lambda row: row[0] + rng.choice((0, 0, 0, 2.5)))]
    rows: list[Audio] = []
    for record in ordered:
        rows.append(record)
        if rng.random() < 0.03:
            rows.append(rng.choice(rows[-4:]))
        if rng.random() < 0.03:
            rows.append(replace(record, sequence=record.sequence + 1000, timestamp_ms=record.timestamp_ms - 5000))
    return rows


@pytest.mark.parametrize(("seed", "codec"), [*((seed, Codec.L16) for seed in range(6)), (6, Codec.G722)])
def test_crashes_change_nothing(seed: int, codec: Codec) -> None:
    rng = random.Random(seed)
    sessions = ["app_0", "app_1"] if codec is Codec.L16 else ["app_0"]  # ten times the records
    meetings = {session: troubled_session(rng, session, codec) for session in sessions}
    logic = TranscriptionLogic()
    expected = undisturbed(logic, meetings, identify)
    assert expected == undisturbed(logic, meetings, identify, seed=1)
    assert sum("-17" in item for item in expected) > 2 * len(sessions)
    outcome = simulate(logic, meetings, identify, seed, Trouble(crash_rate=0.02))
    assert not faults(outcome, expected)
    assert outcome.crashes > 3


@pytest.mark.parametrize(
    ("seed", "asked"), [*((seed, WITH_PARTIALS) for seed in range(6)), (6, DICTATED), (7, DICTATED)]
)
def test_looking_changes_nothing(seed: int, asked: SessionSettings) -> None:
    """Workers and zombies look at what is open, now and then; what they see belongs to an utterance and is below it."""
    rng = random.Random(seed)
    settings = replace(asked, engines=(*asked.engines, Engine.ZOOM))
    meetings = {f"app_{number}": troubled_session(rng, f"app_{number}", settings=settings) for number in range(2)}
    logic, seen = TranscriptionLogic(), list[tuple[str, int, bytes]]()

    def look(assignment: Assignment, source: Input, record: MediaRecord) -> None:
        track = assignment.track_of(source, record) if isinstance(record, Audio) else None
        if track is None or not logic.is_glimpse_due(track) or rng.random() < 0.3:
            return
        work = logic.glimpse(track)
        if work is not None:
            assert work.speech.pcm
            seen.append((identify(record.session_id, work)[0], work.speech.heard_ms, work.speech.pcm))

    expected = undisturbed(logic, meetings, identify)
    outcome = simulate(logic, meetings, identify, seed, Trouble(crash_rate=0.02, look=look))
    assert not faults(outcome, expected)
    assert len(seen) > 4
    for item_id, heard_ms, pcm in seen:
        final = expected[item_id]
        assert isinstance(final, SpeechWork)
        assert heard_ms < final.revision
        assert final.speech.pcm is not None
        assert final.speech.pcm[: len(pcm)] == pcm[: len(final.speech.pcm)]


class Impatient(TranscriptionLogic):
    """Decides by chunks that are not final yet: what comes between them later changes the answer."""

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        return super().cut(track, min(FOREVER_MS, watermark_ms + 900))


class Forgetful(TranscriptionLogic):
    """Cuts by what this process has seen since it began."""

    def __init__(self) -> None:
        self.cuts = 0

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        found = super().cut(track, watermark_ms)
        if not isinstance(found, Cut) or not isinstance(found.work, SpeechWork):
            return found
        self.cuts += 1
        return replace(found, work=replace(found.work, language=f"{self.cuts}"))


@pytest.mark.parametrize("broken", [Impatient, Forgetful])
def test_the_simulation_finds_what_would_change_a_transcript(broken: type[TranscriptionLogic]) -> None:
    for seed in range(6):
        rng = random.Random(seed)
        meetings = {f"app_{number}": troubled_session(rng, f"app_{number}") for number in range(2)}
        expected = undisturbed(TranscriptionLogic(), meetings, identify)
        if faults(simulate(broken(), meetings, identify, seed, Trouble(crash_rate=0.02)), expected):
            return
    pytest.fail("six simulations found nothing wrong")


def test_utterances_of_a_track_never_overlap() -> None:
    rng = random.Random(99)
    found = spoken(works(*troubled_session(rng, SESSION).values()))
    for person in (1, 2):
        own = [bounds for who, *bounds in found if who == person]
        assert all(first[1] <= second[0] for first, second in pairwise(own))


def test_an_utterance_knows_whose_it_is() -> None:
    def project_of(project_id: str) -> str:
        audio = topic(
            SESSION, frames(SESSION, [Microphone(1, T, voice(1000))]), until_ms=T + 3000, project_id=project_id
        )
        [work] = [work for work in works(audio) if isinstance(work, SpeechWork)]
        return work.project_id

    assert [project_of(name) for name in ("proj_1", "", "x" * 10_000)] == ["proj_1", "", ""]
