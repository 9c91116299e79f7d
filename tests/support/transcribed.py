"""What transcription makes of a session when nothing happens to it: the logic and the real recogniser, no Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from processors.checkpoint.sessions import Session
from processors.transcription.application import TranscriptionApplication
from schemas.records import MediaRecord, OutputKind, RecordKind, Utterance


async def transcribed(
    application: TranscriptionApplication,
    session_id: str,
    topics: Mapping[str, Sequence[MediaRecord]],
    shown: list[Utterance] | None = None,
) -> list[Utterance]:
    """All records that the session has on `transcripts`, its end last. `topics` holds its complete inputs.

    Where there is `shown`, somebody looks at what is open after each frame, and that is what they see.
    """
    session = Session(session_id, application.logic)
    written: list[Utterance] = []
    looks: list[asyncio.Task[None]] = []
    for name, records in topics.items():
        for offset, record in enumerate(records):
            windows = session.feed(name, offset, record)
            while windows:
                window = windows.pop(0)
                for output in await application.render(session_id, window.work):
                    assert isinstance(output.record, Utterance)
                    written.append(output.record)
                windows += session.done(window)
            if shown is not None and (looking := _look(application, session, name, record, shown)):
                looks.append(looking)
                await asyncio.sleep(0)
    await asyncio.gather(*looks)
    assert session.is_finished
    assert written[-1].kind is OutputKind.END
    return written


def _look(
    application: TranscriptionApplication, session: Session, topic: str, record: MediaRecord, shown: list[Utterance]
) -> asyncio.Task[None] | None:
    """As `processors.shell.courtesies` does."""
    partials = application.partials
    if record.kind is not RecordKind.FRAME or not partials.is_wanted(session.fold(topic).part):
        return None
    track = session.track_of(topic, record)
    work = partials.seen(track, 0, ()) if track is not None and partials.is_due(track) else None

    async def show() -> None:
        for output in await partials.render(record.session_id, work):
            assert isinstance(output.record, Utterance)
            shown.append(output.record)

    return None if work is None else asyncio.create_task(show())
