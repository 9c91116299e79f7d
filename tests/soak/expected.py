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
from processors.transcription.afterwards.asking import Asking
from processors.transcription.afterwards.due import Order
from processors.transcription.application import TranscriptionApplication
from processors.transcription.configured import accounts_of
from processors.transcription.keys import NoKeys
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.settings import TranscriptionSettings
from schemas import topics, tracks
from schemas.records import AsyncTranscription, MediaRecord, OutputKind, ParticipantEvent, Segment, Utterance
from schemas.sessions import Progress, State
from schemas.settings import Engine, SessionSettings, readable
from tests.soak.hearing import Hearing
from tests.soak.orders import LIVE, failures
from tests.soak.side_transcripts import side_transcript
from tests.soak.stored import Stored, stored
from tests.support.composed import Meeting
from tests.support.muxed import items_of, muxed
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
"""The life of a session to which nothing happens: event, old and new state. Side transcripts have steps behind it."""

UNCERTAIN = frozenset({"text", "words", "model"})
"""What of an utterance may be something else the next time, where that was heard live."""

HEARING = Hearing()

SIDE_STEPS = (Progress.IN_PROGRESS, Progress.COMPLETE)
"""What is told of each side transcript."""


@dataclass(frozen=True, slots=True)
class Expected:
    """All of one session's results, ends included; `sides` are its side transcripts, whose utterances are among its.
    `engines` are whose transcripts there are, the first of them is the one that receivers are told of. Of those that
    are `live` nobody knows the words for certain: who hears while somebody speaks, and is cut off, hears it all anew.
    `copy` is where in a customer's storage the recording is, too; `failures` is what the session says there is not.
    """

    utterances: Sequence[Utterance]
    events: Sequence[ParticipantEvent]
    segments: Sequence[Segment]
    stored: Stored
    engines: Sequence[Engine] = (Engine.MOONSHINE, Engine.ZOOM)
    sides: Sequence[str] = ()
    live: frozenset[str] = frozenset()
    copy: str = ""
    failures: Sequence[str] = ()

    def newest(self) -> list[Utterance]:
        """The highest revision of each utterance, which is what counts."""
        found: dict[str, Utterance] = {}
        for one in sorted(self.utterances, key=lambda one: one.revision):
            if one.kind is OutputKind.ITEM:
                found[one.utterance_id] = one
        return list(found.values())

    @property
    def windows(self) -> int:
        return len(self.utterances) + len(self.events) + len(self.segments)


class Workshop:
    """What an undisturbed run is made with; `folder` is for files while they are made. Close it."""

    def __init__(self, settings: TranscriptionSettings, folder: Path) -> None:
        settings = settings.model_copy(update={"workers": 2})
        self.application = TranscriptionApplication(settings)
        self.asking = Asking(settings, NoKeys(), "", accounts_of(settings))
        self.folder = folder

    async def close(self) -> None:
        await self.application.stop()
        await self.asking.rest()


async def expected(
    inputs: Mapping[str, Inputs],
    folder: Path,
    settings: TranscriptionSettings | None = None,
    sides: Mapping[str, Sequence[AsyncTranscription]] | None = None,
) -> dict[str, Expected]:
    """By session. `settings` say where speech services are, `sides` which side transcripts were asked for."""
    workshop, sides = Workshop(settings or TranscriptionSettings(), folder), sides or {}
    try:
        with HEARING.kept():
            results = await asyncio.gather(
                *(_expected(session, own, sides.get(session, ()), workshop) for session, own in inputs.items())
            )
        return dict(zip(inputs, results, strict=True))
    finally:
        await workshop.close()


async def _expected(session: str, own: Inputs, sides: Sequence[AsyncTranscription], workshop: Workshop) -> Expected:
    begin = next(record.begin for record in own[topics.AUDIO.name] if record.begin is not None)
    segments = muxed(own[topics.AUDIO.name], own[topics.VIDEO.name], session, share=own[topics.SHARE.name])
    settings = readable(begin.settings)
    if settings.is_composed and items_of(segments, tracks.SHARE):
        segments += Meeting(segments, settings, session).closed()
    whole = stored(session, segments, workshop.folder)
    heard = {name: own[name] for name in TranscriptionLogic.topics}
    utterances = await transcribed(workshop.application, session, heard)
    for side in sides:
        order = Order(session, begin.project_id, 0, side)
        utterances += await side_transcript(order, whole.objects, workshop.asking)
    return Expected(
        utterances=utterances,
        events=_participant_events(session, own),
        segments=segments,
        stored=whole,
        engines=settings.transcripts,
        sides=[side.transcription_id for side in sides],
        live=LIVE if settings.partials else frozenset(),
        copy=_copy(session, settings, whole),
        failures=failures(settings.copy_bucket),
    )


def _copy(session: str, settings: SessionSettings, whole: Stored) -> str:
    """Bucket and name of the copy that a customer wants, if anybody does."""
    ending = whole.recording.rpartition(".")[2]
    return f"{settings.copy_bucket}/{settings.copy_name or f'{session}.{ending}'}" if settings.copy_bucket else ""


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
