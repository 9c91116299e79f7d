"""Plays a session's stored sound to the very logic that heard the meeting, so that it finds the utterances.

The records are made here, of the pieces, and stand on no topic: `begin`, everybody's chunks in the order of time, then
`end`. They are the same however often they are played, and so are the windows; whoever begins anew repeats them all.
What fetches is called for one piece after the other, so that only who speaks is in memory. Otherwise pure.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from processors.checkpoint.sessions import Session, SessionKey, Window
from processors.transcription.afterwards.sound import Unreadable, Voice
from processors.transcription.logic import AUDIO, CAPTIONS, TranscriptionLogic
from processors.transcription.works import EndWork, SpeechWork
from schemas import async_transcriptions
from schemas.object_names import StoredSegment
from schemas.records import Audio, Begin, Caption, MediaRecord, RecordKind

SILENCE_MS = 10_000
"""After that long it is said how far a silence goes."""

Fetch = Callable[[StoredSegment], tuple[bytes, bytes] | None]
"""A piece's header and media, None where one of the two is not there."""


@dataclass(frozen=True, slots=True)
class Score:
    """What is to be played: a session's pieces by participant, each in the order of time, to whom `settings` says with
    the keys of the project."""

    session_id: str
    project_id: str
    partition: int
    settings: str
    pieces: Mapping[int, Sequence[StoredSegment]]


class Play:
    """`works` until nothing comes, `done` for each in whatever order. One caller at a time."""

    def __init__(self, score: Score, fetch: Fetch) -> None:
        self.troubles: set[str] = set()
        """Why some of the sound could not be played."""
        self.is_over = False
        self._score, self._fetch = score, fetch
        self._session = Session(SessionKey(score.partition, score.session_id), TranscriptionLogic())
        self._records = self._played()
        self._ready: list[Window] = []

    def works(self) -> list[Window]:
        """The next utterances; none when others have to be done first, or when it `is_over`. Raises what fetch does."""
        while not self._ready and not self.is_over:
            following = next(self._records, None)
            if following is None:
                break
            self._take(self._session.feed(*following))
        ready, self._ready = self._ready, []
        return ready

    def done(self, window: Window) -> None:
        """What became of the window is written."""
        self._take(self._session.done(window))

    def _take(self, windows: Iterable[Window]) -> None:
        for window in windows:
            if isinstance(window.work, SpeechWork):
                self._ready.append(window)
            elif isinstance(window.work, EndWork):
                self.is_over = True
            else:  # nothing that this logic says on the way is for a transcript that is read when it is whole
                self._take(self._session.done(window))

    def _played(self) -> Iterator[tuple[str, int, MediaRecord]]:
        """(topic, offset, record) in the order in which they are heard."""
        offset, first_ms = 0, min((pieces[0].start_ms for pieces in self._score.pieces.values()), default=0)
        yield from self._told(RecordKind.BEGIN, offset, first_ms)
        for offset, record in enumerate(self._timed(), start=1):
            yield AUDIO, offset, record
        yield from self._told(RecordKind.END, offset + 1, first_ms)

    def _told(self, kind: RecordKind, offset: int, at_ms: int) -> Iterator[tuple[str, int, MediaRecord]]:
        """A control record of both topics."""
        score = self._score
        begin = Begin(worker="", settings=score.settings, negotiated="{}", project_id=score.project_id)
        for topic, record in ((CAPTIONS, Caption), (AUDIO, Audio)):
            yield topic, offset, record(
                session_id=score.session_id, kind=kind, epoch=0, sequence=offset, timestamp_ms=at_ms,
                arrived_us=0, begin=begin if kind is RecordKind.BEGIN else None,
            )  # fmt: skip

    def _timed(self) -> Iterator[Audio]:
        """The chunks, and in every silence of all how far it goes, as a worker says it: hours would else be taken for a
        broken clock."""
        heard_ms: int | None = None
        for chunk in self._chunks():
            silent_ms = range(heard_ms or chunk.timestamp_ms, chunk.timestamp_ms, SILENCE_MS)
            for through_ms in silent_ms[1:]:
                yield replace(chunk, kind=RecordKind.TICK, participant_id=0, timestamp_ms=through_ms, payload=b"")
            heard_ms = chunk.timestamp_ms
            yield chunk

    def _chunks(self) -> Iterator[Audio]:
        """Everybody's, in the order of time; a piece is opened when it begins."""
        voices = {number: Voice(self._score.session_id, number) for number in self._score.pieces}
        left = {number: iter(pieces) for number, pieces in self._score.pieces.items()}
        waiting: list[tuple[int, int, int, StoredSegment | Audio]] = []

        def wait_for_piece_of(number: int) -> None:
            if (piece := next(left[number], None)) is not None:
                heapq.heappush(waiting, (piece.start_ms, number, 0, piece))

        for number in left:
            wait_for_piece_of(number)
        while waiting:
            _, number, _, following = heapq.heappop(waiting)
            if isinstance(following, Audio):
                yield following
                continue
            for chunk in self._opened(voices[number], following):
                heapq.heappush(waiting, (chunk.timestamp_ms, number, chunk.sequence, chunk))
            wait_for_piece_of(number)

    def _opened(self, voice: Voice, piece: StoredSegment) -> Sequence[Audio]:
        """A piece's chunks; of one that cannot be had none, and there is silence."""
        found = self._fetch(piece)
        if found is None:
            self.troubles.add(async_transcriptions.SOUND_MISSING)
            return ()
        try:
            return voice.chunks(piece, *found)
        except Unreadable:
            self.troubles.add(async_transcriptions.SOUND_UNREADABLE)
            return ()
