"""Captions on a topic, and what a session without trouble makes of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from processors.checkpoint.sessions import Session
from processors.transcription.caption_lines import CaptionWork, Unmet
from processors.transcription.logic import AUDIO, CAPTIONS, TranscriptionLogic
from processors.transcription.works import EndWork, caption_utterance
from schemas.records import Caption, MediaRecord, RecordKind, Utterance
from schemas.settings import Engine, SessionSettings
from tests.support.spoken import START_MS, begin, end

SESSION = "app_0000000000000001"
T = START_MS
PLAIN = SessionSettings(engines=(Engine.ZOOM,))
MERGED = replace(PLAIN, engine_options='{"zoom":{"merge_consecutive_captions":true}}')


def said(text: str, from_ms: int, to_ms: int, who: int = 1, operation: str = "new", **others: Any) -> Caption:
    """A caption, `from_ms` and `to_ms` after T; its sequence is set where it is put on a topic."""
    return Caption(
        session_id=SESSION, kind=RecordKind.FRAME, participant_id=who, participant_name=f"Speaker {who}", epoch=1,
        sequence=0, arrived_us=0, text=text, operation=operation,
        **{"timestamp_ms": T + from_ms, "start_ms": T + from_ms, "end_ms": T + to_ms, "language": 9} | others,
    )  # fmt: skip


def numbered(rows: Sequence[MediaRecord]) -> list[MediaRecord]:
    """With sequence numbers as they are given when records come off the socket."""
    return [replace(row, sequence=at) if row.kind is RecordKind.FRAME else row for at, row in enumerate(rows)]


def fed(audio: Sequence[MediaRecord], captions: Sequence[MediaRecord]) -> list[object]:
    """What a session without trouble asks for, all outputs acknowledged at once."""
    session = Session(SESSION, TranscriptionLogic())
    found: list[object] = []
    for name, records in ((AUDIO, audio), (CAPTIONS, captions)):
        for offset, record in enumerate(records):
            windows = session.feed(name, offset, record)
            while windows:
                window = windows.pop(0)
                found.append(window.work)
                windows += session.done(window)
    assert session.is_finished
    return found


def works(rows: Sequence[MediaRecord], settings: SessionSettings = PLAIN) -> list[object]:
    last = end(SESSION, T + 600_000, 1 + 6 * any(row.epoch > 1 for row in rows))
    captions = [begin(SESSION, T, settings=settings), *numbered(rows), last]
    return fed([begin(SESSION, T, settings=settings), end(SESSION, T)], captions)


def utterances(rows: Sequence[MediaRecord], settings: SessionSettings = PLAIN) -> list[Utterance]:
    """What is written, in order; the end announces as many as there are ids."""
    found = works(rows, settings)
    written = [caption_utterance(work) for work in found if isinstance(work, CaptionWork)]
    assert found[-1] == EndWork(len({one.utterance_id for one in written}))
    return written


def texts(written: Sequence[Utterance]) -> list[str]:
    """The transcript of somebody who keeps the highest revision of each id."""
    newest: dict[str, Utterance] = {}
    for one in written:
        if one.utterance_id not in newest or one.revision > newest[one.utterance_id].revision:
            newest[one.utterance_id] = one
    return [one.text for one in sorted(newest.values(), key=lambda one: one.start_ms) if one.text]


def unmet(rows: Sequence[MediaRecord], settings: SessionSettings = PLAIN) -> list[str]:
    return [work.outcome for work in works(rows, settings) if isinstance(work, Unmet)]
