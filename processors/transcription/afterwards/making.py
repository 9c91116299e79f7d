"""Makes one side transcript: plays what is stored, asks the engines, writes what they understood, then an end.

Whoever begins again repeats all of it but the questions: what stands on `transcripts` already is not asked for once
more. The same utterances have the same ids, so neither a crash nor a second process makes anything twice. With the
first utterance that nobody understood it is over: the whole could not be read, so nobody pays for the rest.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from connectors.host.backoff import delays_s
from connectors.host.logs import get_logger
from connectors.kafka.decoder import Decoder
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.objects.errors import NotFound, ObjectsError
from connectors.objects.store import ObjectStore
from processors.checkpoint.sessions import Window
from processors.shell.outbox import Outbox
from processors.transcription import metrics
from processors.transcription.afterwards.due import Order
from processors.transcription.afterwards.playing import Play, Score
from processors.transcription.afterwards.writing import Written, end, fact, utterance
from processors.transcription.recogniser import Recognition
from processors.transcription.works import SpeechWork
from schemas import object_names, topics, tracks
from schemas import settings as session_settings
from schemas.async_transcriptions import SOUND_MISSING
from schemas.codec import Undecodable
from schemas.keys import item_key, objects_folder, session_of
from schemas.object_names import StoredSegment
from schemas.records import FactKind, SessionFact, Utterance, UtteranceStatus
from schemas.settings import Engine
from schemas.transcription_codes import code_of

log = get_logger(__name__)

STALL_S = 60.0
"""A partition has days of records: for the next of them, not for all."""

LONGEST_PAUSE_S = 30.0

MOST_REST_S = 0.1
"""Playing rests as long as it has worked, so that the meetings of this process have their turn; but no longer, for some
of that was waiting for the store."""

_Found = TypeVar("_Found")

Recognise = Callable[[SpeechWork, str], Awaitable[tuple[Engine, Recognition]]]
"""Who understood an utterance of the session, and what."""


class Abandoned(Exception):
    """Nobody wants it any more, or somebody else makes it."""


class NotUnderstood(Exception):
    """Nobody could tell what was said in one of the utterances; says why, as a `failed` one has it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What side transcripts are made with. Who holds `scanning` may use the loader."""

    store: ObjectStore
    outbox: Outbox
    loader: PartitionLoader
    decoder: Decoder
    recognise: Recognise
    in_flight: int
    scanning: threading.Lock


class Making:
    """One side transcript under way; `run` it once."""

    def __init__(self, tools: Tools, order: Order) -> None:
        self._tools, self._order = tools, order
        self._written = Written()
        self._slots = asyncio.Semaphore(tools.in_flight)
        self._gone = threading.Event()
        self._headers: dict[str, bytes] = {}

    async def run(self) -> None:
        """Return when all of it is written. Raises KafkaError and ObjectsError: begin again later; NotUnderstood."""
        try:
            if self._order.is_begun:
                await asyncio.to_thread(self._look_back)
            else:
                await self._state(fact(self._order, FactKind.ASYNC_TRANSCRIPTION_BEGUN))
            if self._written.end is None:
                self._check()
                await self._play()
            else:  # a sink of an earlier release may have passed over it
                await self._write(self._written.end)
        finally:
            self._gone.set()  # a thread of it that still runs leaves off

    async def fail(self, reason: str) -> None:
        """State that it never will be whole."""
        await self._state(fact(self._order, FactKind.ASYNC_TRANSCRIPTION_FAILED, reason))

    def _check(self) -> None:
        """Whether there is anybody to be asked: a newer release may have named somebody else."""
        if not session_settings.readable(self._order.wanted.settings).recognisers:
            raise LookupError("no engine that this release knows")

    async def _play(self) -> None:
        pieces = await asyncio.to_thread(self._listed)
        order = self._order
        score = Score(order.session_id, order.project_id, order.partition, order.wanted.settings, pieces)
        play, tasks, done = Play(score, self._fetched), set[asyncio.Task[Window]](), set[asyncio.Task[Window]]()
        try:
            while not play.is_over:
                has_room = len(tasks) < self._tools.in_flight
                ready = await self._next(play) if has_room else []
                tasks |= {asyncio.create_task(self._made(window)) for window in ready}
                if tasks and not ready:
                    done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        play.done(task.result())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *done, return_exceptions=True)
        self._written.troubles |= play.troubles
        await self._write(end(self._order, self._written))
        log.info("side transcript written", session_id=self._order.session_id, utterances=len(self._written.said))

    async def _next(self, play: Play) -> list[Window]:
        """The next utterances; then a rest, or what is known already would be played as fast as this process can."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        ready = await asyncio.to_thread(play.works)
        await asyncio.sleep(min(loop.time() - begun_s, MOST_REST_S))
        return ready

    async def _made(self, window: Window) -> Window:
        assert isinstance(window.work, SpeechWork)
        async with self._slots:  # of those that came at once
            await self._transcribe(window.work)
        return window

    async def _transcribe(self, work: SpeechWork) -> None:
        if self._written.knows(work.id_in(self._order.session_id, self._order.transcription_id)):
            return
        by, result = await self._tools.recognise(work, self._order.session_id)
        said = utterance(self._order, work, by, result)
        metrics.SIDE_UTTERANCES.labels(by, "wordless" if not said.text and not said.reason else said.status).inc()
        if said.status is UtteranceStatus.FAILED:
            raise NotUnderstood(code_of(said.reason))
        if said.text:
            await self._write(said)
            self._written.add(said)

    async def _write(self, said: Utterance) -> None:
        key = item_key(self._order.session_id, Written.item_of(said))
        await self._tools.outbox.send(topics.TRANSCRIPTS, key, said, self._order.partition)

    async def _state(self, stated: SessionFact) -> None:
        key = self._order.session_id.encode()
        await self._tools.outbox.send(topics.SESSION_FACTS, key, stated, self._order.partition)

    def _look_back(self) -> None:
        """What of it stands in the log, whoever wrote it."""
        places = [Place(topics.TRANSCRIPTS.name, self._order.partition)]
        with self._tools.scanning, closing(self._tools.loader.load_all(places, STALL_S)) as records:
            for record in records:
                if self._gone.is_set():
                    raise Abandoned
                if session_of(record.key) == self._order.session_id:
                    self._written.look(self._order, record.key or b"", self._read(record.value))

    def _read(self, value: bytes | None) -> Utterance | None:
        try:
            read = None if value is None else self._tools.decoder.decode(topics.TRANSCRIPTS, value)
        except Undecodable:
            return None  # the ClickHouse sink makes a dead letter of it
        return read if isinstance(read, Utterance) else None

    def _listed(self) -> dict[int, Sequence[StoredSegment]]:
        """The pieces by participant, as far as they are there."""
        prefix = f"{objects_folder(self._order.session_id)}/tracks"
        found = defaultdict[int, list[tuple[str, int]]](list)
        for item in self._patiently(lambda: self._tools.store.list(prefix)):
            track = item.key.removeprefix(f"{prefix}/").partition("/")[0]
            if (participant_id := tracks.participant_of(track)) is not None:
                found[participant_id].append((item.key, item.modified_ms))
        pieces = {number: object_names.stored_segments(listing) for number, listing in sorted(found.items())}
        counts = self._order.stored.items()
        if self._order.is_short or any(len(pieces.get(number, ())) < count for number, count in counts):
            self._written.troubles.add(SOUND_MISSING)
        return {number: listed for number, listed in pieces.items() if listed}

    def _fetched(self, piece: StoredSegment) -> tuple[bytes, bytes] | None:
        try:
            if piece.header not in self._headers:
                key = object_names.header_key(self._order.session_id, piece.header)
                self._headers[piece.header] = self._patiently(lambda: self._tools.store.get(key))
            return self._headers[piece.header], self._patiently(lambda: self._tools.store.get(piece.key))
        except NotFound:
            return None

    def _patiently(self, call: Callable[[], _Found]) -> _Found:
        """What a store says, however long it is away. Raises NotFound, and Abandoned."""
        for delay_s in delays_s(longest_s=LONGEST_PAUSE_S):
            if self._gone.is_set():
                raise Abandoned
            try:
                return call()
            except NotFound:
                raise
            except ObjectsError as error:
                metrics.SIDE_RETRIES.inc()
                log.warning("stored sound cannot be had now", session_id=self._order.session_id,
                            error=type(error).__name__, wait_s=delay_s)  # fmt: skip
                self._gone.wait(delay_s)
        raise AssertionError("there is always a next delay")
