"""What transcription makes of a session when nothing happens to it: the logic and the real recogniser, no Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from processors.checkpoint.sessions import Session
from processors.transcription.application import TranscriptionApplication
from schemas.records import MediaRecord, OutputKind, Utterance


async def transcribed(
    application: TranscriptionApplication, session_id: str, topics: Mapping[str, Sequence[MediaRecord]]
) -> list[Utterance]:
    """All records that the session has on `transcripts`, its end last. `topics` holds its complete inputs."""
    session = Session(session_id, application.logic)
    written: list[Utterance] = []
    for name, records in topics.items():
        for offset, record in enumerate(records):
            windows = session.feed(name, offset, record)
            while windows:
                window = windows.pop(0)
                for output in await application.render(session_id, window.work):
                    assert isinstance(output.record, Utterance)
                    written.append(output.record)
                windows += session.done(window)
    assert session.is_finished
    assert written[-1].kind is OutputKind.END
    return written
