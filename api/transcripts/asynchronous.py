"""Transcribing what was recorded, once a session is over: who may ask for it, and what is answered.

Whoever asks states a fact; the order of the log decides who gets the last place, so any number of replicas agree.
"""

from collections.abc import Iterable
from typing import Any

from api.app_sessions.archive import bring_back
from api.app_sessions.async_transcriptions import AsyncTranscriptionKeys, keys
from api.app_sessions.commands import SOURCE, as_of_now, stated
from api.app_sessions.transcription_settings import SCHEMA as SETTINGS
from api.app_sessions.transcription_settings import transcription_where
from api.errors import ApiError, not_found, refused
from api.services import Services
from api.shapes import Check, Invalid, fields_of
from api.transcripts.utterances import Row
from api.writing import new_id
from schemas import async_transcriptions, ids
from schemas import settings as session_settings
from schemas.async_transcriptions import MOST
from schemas.participant_events import PRESENCE
from schemas.records import AppSession, FactKind, SessionFact
from schemas.session_states import Progress, State
from schemas.settings import SessionSettings

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"transcription_settings": SETTINGS},
    "required": ["transcription_settings"],
    "additionalProperties": False,
}

# Stored sound tells whose it is by Zoom's number alone; their names came with the events.
NAMES = """
SELECT participant_id, argMax(participant_name, timestamp_ms) AS name
FROM participant_events
WHERE session_id = {session_id:String} AND event IN {events:Array(String)} AND participant_name IS NOT NULL
GROUP BY participant_id
"""


class AsyncTranscriptionDocument(AsyncTranscriptionKeys):
    """One transcription of what was recorded. `bot_id` is the app session's id."""

    bot_id: str


def settings_of(body: Any, *, has_custom_async: bool = True) -> str:
    """Who is to transcribe, as facts have it; `has_custom_async`: the operator has one. Raises ApiError 400."""
    check = _one_provider(transcription_where(has_custom_async))
    fields = fields_of(body, {"transcription_settings": check}, required=["transcription_settings"])
    wanted: SessionSettings = fields["transcription_settings"]
    return session_settings.dumps(wanted)


def refusal(session: AppSession) -> ApiError | None:
    """Why what this session said cannot be transcribed once more; None if it can."""
    if session.deletion is not None:
        return refused("The data of this session was deleted: there is nothing left to be transcribed.")
    if session.state != State.ENDED:
        return refused(
            f"A session in state {session.state} cannot be transcribed once more. Wait for {State.ENDED}, ask again."
        )
    if not session_settings.readable(session.settings).keeps_voices:
        return refused(
            "This session kept no audio to be transcribed: create it with "
            "record_async_transcription_audio_chunks in recording_settings."
        )
    if session.transcript_deletion is not None:
        return refused("The transcript of this session was deleted, and another one would be, too.")
    if len(session.async_transcriptions) >= MOST:
        return refused(f"This session has {MOST} async transcriptions already, and cannot have more.")
    return None


async def ask(services: Services, session: AppSession, settings: str) -> AsyncTranscriptionDocument:
    """Have the session transcribed once more. Raises ApiError 400 and 503."""
    if refusal(session) is not None:
        session = await as_of_now(services, session)
    if (problem := refusal(session)) is not None:
        raise problem
    await bring_back(services, session)
    fact = SessionFact(
        session_id=session.session_id,
        kind=FactKind.ASYNC_TRANSCRIPTION_REQUESTED,
        project_id=session.project_id,
        source=SOURCE,
        settings=settings,
        transcription_id=new_id(ids.ASYNC_TRANSCRIPTION_PREFIX),
    )
    state = await stated(services, fact)
    found = async_transcriptions.named(state, fact.transcription_id)
    if found is None:  # somebody else was quicker
        raise refusal(state) or refused("This session cannot be transcribed once more.")
    return {"bot_id": session.session_id, **keys(found)}


def complete(session: AppSession, transcription_id: str) -> str:
    """The id, if what it names can be read. Raises ApiError 404 and 400."""
    found = async_transcriptions.named(session, transcription_id)
    if found is None:
        raise not_found("Async Transcription not found")
    if found.state == Progress.FAILED:
        raise refused(f"The async transcription has failed ({found.reason}). Ask for another one.")
    if found.state != Progress.COMPLETE:
        raise refused(f"The async transcription is not complete: it is {found.state}. Ask again later.")
    return transcription_id


async def readable(services: Services, session: AppSession, transcription_id: str) -> str:
    """`complete`, by all that others may have been told. Raises ApiError 404, 400 and 503."""
    try:
        return complete(session, transcription_id)
    except ApiError:
        return complete(await as_of_now(services, session), transcription_id)


def names_parameters(session: AppSession) -> dict[str, Any]:
    """The parameters of `NAMES`."""
    return {"session_id": session.session_id, "events": [*PRESENCE]}


def with_names(rows: Iterable[Row], names: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows of a side transcript, with the names that their speakers had last."""
    known = {row["participant_id"]: row["name"] for row in names}
    return [{**row, "participant_name": known.get(row["participant_id"], row["participant_name"])} for row in rows]


def _one_provider(transcription: Check) -> Check:
    def check(value: Any) -> SessionSettings:
        engines, language, options = transcription(value)
        if len(value) != 1 or "meeting_closed_captions" in value:
            raise Invalid("Name exactly one provider, and none that needs the meeting.")
        if "callback" in value.get("deepgram", {}):
            raise Invalid("Deepgram cannot call back about what was recorded.")
        return SessionSettings(engines=engines, language=language, engine_options=options)

    return check
