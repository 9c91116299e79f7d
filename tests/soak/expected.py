"""What an undisturbed run makes of the very records that stand in the input topics: the services' pure logic, no Kafka.

Session ids, epochs and sequence numbers are in the records, so every derived id comes out as the pipeline must have it:
nothing has to be compared "but for the id". What the services add (recogniser, muxing, the finished file) is the real
thing, run in one piece.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from processors.checkpoint.sessions import Session, SessionKey
from processors.participants.application import participant_event
from processors.participants.logic import ParticipantsLogic
from processors.participants.roster import Pausing
from processors.transcription.application import TranscriptionApplication
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.settings import TranscriptionSettings
from schemas import object_names, topics
from schemas.records import MediaRecord, OutputKind, ParticipantEvent, Segment, Utterance
from schemas.sessions import State
from sinks.objects import layout
from sinks.objects.movies import write_movie
from tests.support.muxed import muxed
from tests.support.transcribed import transcribed

Inputs = Mapping[str, Sequence[MediaRecord]]
"""The records of one session by topic, in log order."""

CHANGES = (
    ("app_session_connection_requested", State.READY, State.CONNECTING),
    ("app_session_connected", State.CONNECTING, State.CONNECTED),
    ("app_session_disconnect_requested", State.CONNECTED, State.DISCONNECTING),
    ("app_session_disconnected", State.DISCONNECTING, State.POST_PROCESSING),
    ("post_processing_completed", State.POST_PROCESSING, State.ENDED),
)
"""The life of a session to which nothing happens: event, old and new state."""


@dataclass(frozen=True, slots=True)
class Expected:
    """All of one session's results, ends included."""

    utterances: Sequence[Utterance]
    events: Sequence[ParticipantEvent]
    segments: Sequence[Segment]
    movie: bytes

    @property
    def windows(self) -> int:
        return len(self.utterances) + len(self.events) + len(self.segments)


async def expected(inputs: Mapping[str, Inputs], folder: Path) -> dict[str, Expected]:
    """By session; `folder` is for a finished file while it is made."""
    application = TranscriptionApplication(TranscriptionSettings(workers=2))
    try:
        results = await asyncio.gather(*(_expected(name, own, application, folder) for name, own in inputs.items()))
        return dict(zip(inputs, results, strict=True))
    finally:
        await application.stop()


async def _expected(session: str, own: Inputs, application: TranscriptionApplication, folder: Path) -> Expected:
    share = own[topics.SHARE.name]
    segments = muxed(own[topics.AUDIO.name], own[topics.VIDEO.name], session, share=share)
    heard = {name: own[name] for name in TranscriptionLogic.topics}
    return Expected(
        utterances=await transcribed(application, session, heard),
        events=_participant_events(session, own),
        segments=segments,
        movie=_movie(segments, folder / "expected.mp4"),
    )


def _participant_events(session: str, own: Inputs) -> list[ParticipantEvent]:
    engine = Session(SessionKey(0, session), ParticipantsLogic())
    written = []
    for topic in ParticipantsLogic.topics:
        for offset, record in enumerate(own[topic]):
            waiting = engine.feed(topic, offset, record)
            while waiting:
                window = waiting.pop(0)
                if not isinstance(window.work, Pausing):  # which is a fact of the session
                    written.append(participant_event(session, window.work))
                waiting += engine.done(window)
    return written


def _movie(segments: Sequence[Segment], path: Path) -> bytes:
    items = [part for part in segments if part.kind is OutputKind.ITEM]
    stored = [
        object_names.StoredSegment(item.start_ms, item.duration_ms, object_names.header_name(item.init), "")
        for item in items
    ]
    header = next(item.init for item in items if object_names.header_name(item.init) == layout.main_header(stored))
    write_movie([header, *(item.payload for item in items)], path)
    movie = path.read_bytes()
    path.unlink()
    return movie
