"""The local recogniser on two readings, heard as they are read: its CPU, how soon it says what was said, how well; what
partials add to that; and how many may speak at once.

Everything but Kafka is as in the transcription processor: endpointing, the queue, one recogniser process. The time from
the end of speech holds the pause that proves it to be one, and the wait for chunks of others that may be late.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import psutil

from deploy.local.words import WordErrors, word_errors
from processors.checkpoint.sessions import Session, SessionKey, Window
from processors.transcription.application import TranscriptionApplication
from processors.transcription.endpointing import HANG_OVER_MS
from processors.transcription.logic import AUDIO, CAPTIONS, SLACK_MS
from processors.transcription.moonshine import package_folder
from processors.transcription.partials import SpokenPartials
from processors.transcription.pcm import RECOGNISER_RATE_HZ
from processors.transcription.settings import TranscriptionSettings
from schemas.records import MediaRecord, RecordKind, Utterance, UtteranceStatus
from schemas.settings import Engine, SessionSettings
from tests.bench.costs import cpu_seconds
from tests.bench.quantiles import quantile
from tests.bench.rows import Row
from tests.support import readings
from tests.support.spoken import START_MS, WITH_PARTIALS, Microphone, frames, silence, topic

SESSION = "app_0000000000000003"
READERS = {1: "beckett", 2: "two_cities"}
SETTINGS = SessionSettings(engines=(Engine.MOONSHINE,))
CHUNK_MS = 100
PAUSE_MS = 1500
"""After a reading, with the microphone open, for its last utterance."""

RTF_GOAL = 0.10
PARTIALS_RTF_GOAL = 0.33
AGE_GOAL_S = 1.5
DELAY_GOAL_S, LONGEST_DELAY_GOAL_S = 1.0, 1.6
WER_GOAL_PERCENT, FIRST_WER_GOAL_PERCENT = 6.0, 10.0
WAIT_MS = HANG_OVER_MS + SLACK_MS
AT_ONCE, AT_ONCE_WITH_PARTIALS = 10, 3
"""Speakers, all on one core: so many are measured, and so many are the goal."""

CROWDS_READING = "two_cities"
STAGGER_MS = 700
"""They do not pause in the same moments."""

Say = Callable[[str], None]


@dataclass
class Heard:
    """What came of one performance; `delays_s` from the end of speech to its final text, `ages_s` how old what was
    known of an utterance was when something newer came.
    """

    utterances: list[Utterance] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def errors(self, reader: int, name: str) -> WordErrors:
        own = sorted((u for u in self.utterances if u.participant_id == reader), key=lambda u: u.start_ms)
        return word_errors(readings.reading(name).text, " ".join(u.text for u in own))


def measure(rounds: int, say: Say) -> list[Row]:
    """Raises RecogniserMissing, which says how to get it."""
    package_folder()
    return asyncio.run(_measured(rounds, say))


async def _measured(rounds: int, say: Say) -> list[Row]:
    application = TranscriptionApplication(TranscriptionSettings())
    await application.start()
    try:
        await Performance(application, speed=20).heard()  # loads the model
        heard = []
        for number in range(1, rounds + 1):
            heard.append(await Performance(application, speed=1).heard())
            say(f"round {number}: {heard[-1].cpu_s:.2f} CPU s, {len(heard[-1].utterances)} utterances")
        partly = [await Performance(application, speed=1, settings=WITH_PARTIALS).heard() for _ in range(rounds)]
        for number, one in enumerate(partly, 1):
            say(f"round {number} with partials: {one.cpu_s:.2f} CPU s, {len(one.ages_s)} partials")
        assert {texts(one) for one in partly} == {texts(heard[0])}, "partials must change nothing"
        crowds = [
            await _crowd(application, *one, say)
            for one in ((SETTINGS, AT_ONCE), (WITH_PARTIALS, AT_ONCE_WITH_PARTIALS))
        ]
        return _rows(heard) + _rows_of_partials(partly) + crowds
    finally:
        await application.stop()


async def _crowd(application: TranscriptionApplication, settings: SessionSettings, speakers: int, say: Say) -> Row:
    """All read the same at once, one round. Void where somebody was not understood: then nobody kept up."""
    heard = await Performance(application, speed=1, settings=settings, microphones=at_once(speakers)).heard()
    say(
        f"{speakers} at once: {heard.cpu_s:.2f} CPU s, {len(heard.utterances)} utterances, {len(heard.ages_s)} partials"
    )
    worst = max(heard.errors(speaker, CROWDS_READING).rate for speaker in range(1, speakers + 1))
    assert worst <= 2 * FIRST_WER_GOAL_PERCENT / 100, (
        f"of {speakers} at once one was not understood: {worst:.0%} errors"
    )
    return per_core(speakers, readings.reading(CROWDS_READING).duration_ms / 1000, heard)


class Performance:
    """What comes of microphones, heard `speed` times as fast as life."""

    def __init__(
        self,
        application: TranscriptionApplication,
        speed: float,
        settings: SessionSettings = SETTINGS,
        microphones: Sequence[Microphone] = (),
    ) -> None:
        self._application = application
        self._speed = speed
        self._settings = settings
        self._microphones = microphones or one_after_the_other()
        self._shown_ms: dict[str, int] = {}
        self._looks: dict[asyncio.Task[None], object] = {}
        self._session = Session(SessionKey(0, SESSION), application.logic)
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard = Heard()
        self._began = time.monotonic()

    async def heard(self) -> Heard:
        audio, captions = _topics(self._settings, self._microphones)
        before = self._cpu_seconds()
        self._began = time.monotonic()
        for offset, record in enumerate(captions):
            self._render(self._session.feed(CAPTIONS, offset, record))
        for offset, record in enumerate(audio):
            sent_ms = record.timestamp_ms + (CHUNK_MS if record.kind is RecordKind.FRAME else 0)
            await asyncio.sleep(self._due(sent_ms) - time.monotonic())
            self._render(self._session.feed(AUDIO, offset, record))
            self._look(record)
        while self._tasks:
            await asyncio.gather(*self._tasks)
        assert self._session.is_finished
        self._heard.cpu_s = self._cpu_seconds() - before
        return self._heard

    def _due(self, at_ms: int) -> float:
        """When Zoom's time is `at_ms`, on the monotonic clock."""
        return self._began + (at_ms - START_MS) / 1000 / self._speed

    def _render(self, windows: Sequence[Window]) -> None:
        for window in windows:
            task = asyncio.create_task(self._finish(window))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _finish(self, window: Window) -> None:
        for output in await self._application.render(SESSION, window.work):
            utterance = output.record
            assert isinstance(utterance, Utterance)
            if utterance.utterance_id and utterance.status is not UtteranceStatus.PARTIAL:
                assert utterance.status is UtteranceStatus.FINAL, utterance.reason
                self._heard.utterances.append(utterance)
                self._heard.delays_s.append(time.monotonic() - self._due(utterance.end_ms))
        self._render(self._session.done(window))

    def _look(self, record: MediaRecord) -> None:
        """As `processors.shell.courtesies` does, in time with the reading."""
        partials = self._application.partials
        assert partials is not None
        track = self._session.track_of(AUDIO, record) if record.kind is RecordKind.FRAME else None
        is_due = track is not None and partials.is_due(track)
        work = partials.seen(track, 0, self._looks.values()) if track is not None and is_due else None
        if work is not None:
            task = asyncio.create_task(self._show(partials, work))
            self._looks[task] = work
            task.add_done_callback(self._looks.pop)

    async def _show(self, partials: SpokenPartials, work: object) -> None:
        for output in await partials.render(SESSION, work):
            partial = output.record
            assert isinstance(partial, Utterance)
            before_ms = self._shown_ms.get(partial.utterance_id, partial.start_ms)
            self._heard.ages_s.append(time.monotonic() - self._due(before_ms))
            self._shown_ms[partial.utterance_id] = partial.start_ms + partial.revision

    def _cpu_seconds(self) -> float:
        """Of this process and the recognisers'."""
        children = [child.pid for child in psutil.Process().children()]
        return time.process_time() + sum(map(cpu_seconds, children))


def texts(heard: Heard) -> tuple[tuple[str, str], ...]:
    """What was said, by id."""
    return tuple(sorted((u.utterance_id, u.text) for u in heard.utterances))


def one_after_the_other() -> list[Microphone]:
    """Both readings."""
    microphones, at_ms = [], START_MS
    for reader, name in READERS.items():
        microphones.append(_reader(reader, at_ms, name))
        at_ms = _end_ms(microphones[-1])
    return microphones


def at_once(speakers: int) -> list[Microphone]:
    """As many who read the same."""
    return [_reader(number, START_MS + number * STAGGER_MS, CROWDS_READING) for number in range(1, speakers + 1)]


def _reader(number: int, from_ms: int, name: str) -> Microphone:
    return Microphone(number, from_ms, readings.reading(name).pcm + silence(PAUSE_MS), name, CHUNK_MS)


def _end_ms(microphone: Microphone) -> int:
    return microphone.from_ms + len(microphone.pcm) // (2 * RECOGNISER_RATE_HZ // 1000)


def _topics(
    settings: SessionSettings, microphones: Sequence[Microphone]
) -> tuple[Sequence[MediaRecord], Sequence[MediaRecord]]:
    """The session's audio and captions."""
    until_ms = max(map(_end_ms, microphones))
    audio = topic(SESSION, frames(SESSION, microphones), until_ms=until_ms, settings=settings)
    return audio, topic(SESSION, [], until_ms=START_MS, settings=settings)


def _rows(heard: Sequence[Heard]) -> list[Row]:
    seconds = sum(readings.reading(name).duration_ms for name in READERS.values()) / 1000
    assert len({texts(one) for one in heard}) == 1, "the same sound must give the same text"
    real_time = median(one.cpu_s for one in heard) / seconds
    rows = [
        Row(name="local recogniser, CPU per second of speech", unit="s", ours=real_time, goal=RTF_GOAL,
            note=f"{seconds:.0f} s of speech, endpointing included"),
        *delay_rows("local recogniser", heard),
    ]  # fmt: skip
    errors = {name: heard[0].errors(reader, name) for reader, name in READERS.items()}
    both = WordErrors(sum(one.errors for one in errors.values()), sum(one.said for one in errors.values()))
    each = "; ".join(f"{name} {one.errors} of {one.said}, {one.rate:.1%}" for name, one in errors.items())
    rows.append(Row(name="local recogniser, word errors in the two readings", unit="%", ours=100 * both.rate,
                    goal=WER_GOAL_PERCENT, first_goal=FIRST_WER_GOAL_PERCENT,
                    note=f"{both.errors} of {both.said} words: {each}"))  # fmt: skip
    return rows


def _rows_of_partials(heard: Sequence[Heard]) -> list[Row]:
    seconds = sum(readings.reading(name).duration_ms for name in READERS.values()) / 1000
    ages = [age for one in heard for age in one.ages_s]
    return [
        Row(name="local recogniser with partials, CPU per second of speech", unit="s",
            ours=median(one.cpu_s for one in heard) / seconds, goal=PARTIALS_RTF_GOAL,
            note=f"{len(ages) // len(heard)} partials; the same finals"),
        Row(name="local recogniser with partials, age of what is known when something newer comes, p95", unit="s",
            ours=quantile(ages, 0.95), goal=AGE_GOAL_S, note=f"p50 {quantile(ages, 0.5):.2f} s"),
        *delay_rows("local recogniser with partials", heard),
    ]  # fmt: skip


def delay_rows(name: str, heard: Sequence[Heard]) -> list[Row]:
    """From the end of speech to its final text: the median and the slowest are judged each by its own goal."""
    delays = [delay for one in heard for delay in one.delays_s]
    return [
        Row(name=f"{name}, end of speech to final text, p50", unit="s", ours=quantile(delays, 0.5),
            goal=DELAY_GOAL_S, note=f"{len(delays)} utterances; {WAIT_MS} ms of it are the pause and late chunks"),
        Row(name=f"{name}, end of speech to final text, p95", unit="s", ours=quantile(delays, 0.95),
            goal=LONGEST_DELAY_GOAL_S),
    ]  # fmt: skip


def per_core(speakers: int, seconds: float, heard: Heard) -> Row:
    """How many may speak at once, by the CPU of `speakers` who did for `seconds` each."""
    with_partials = f" with partials, {len(heard.ages_s)} of them" if heard.ages_s else ""
    return Row(
        name=f"local recogniser{' with partials' if with_partials else ''}, speakers at once per core",
        unit="speakers",
        ours=speakers * seconds / heard.cpu_s,
        goal=speakers,
        more_is_better=True,
        note=f"derived: {speakers} spoke at once{with_partials}, on {heard.cpu_s / seconds:.2f} of a core; "
        f"their finals came {quantile(heard.delays_s, 0.95):.2f} s after their words, p95",
    )
