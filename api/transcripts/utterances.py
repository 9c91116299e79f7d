"""A session's transcript: what to read, and how clients see it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from api.errors import refused
from api.times import queried_ms
from api.transcript_formats import Cue, web_vtt
from schemas import ids
from schemas import settings as session_settings
from schemas.deletion import said_until_ms
from schemas.records import AppSession
from schemas.row_documents import words_in
from schemas.settings import Engine

JSON = "json"
VTT = "vtt"
VTT_MEDIA_TYPE = "text/vtt"

# Only what is final and has words: a partial one is about to change, a failed one has nothing to say. Who asks for what
# has changed may have words that were deleted since, so that they were is told, too.
QUERY = """
SELECT utterance_id, participant_id, participant_name, start_ms, end_ms, language, text, recognised_by, model, words
FROM utterances
WHERE session_id = {session_id:String} AND engine = {engine:String}
  AND status = 'final' AND (text != '' OR {changes:Bool} AND withdraws) AND updated_at_ms > {updated_after_ms:Int64}
  AND start_ms > {deleted_ms:Int64}
ORDER BY start_ms, utterance_id
"""

_ALWAYS_MS = -1

Row = Mapping[str, Any]


class WordDocument(TypedDict):
    """One word; its times count in seconds from the utterance's `timestamp_ms`."""

    word: str
    start: float
    end: float


class TranscriptionDocument(TypedDict):
    """What was said; word by word where the engine has their times. An empty `transcript`, which only those are told
    who hear of changes (`updated_after`, feeds, webhooks): what was said under this `id` was deleted.
    """

    transcript: str
    words: NotRequired[list[WordDocument]]


class UtteranceKeys(TypedDict):
    """What is said of something somebody said, besides the words."""

    speaker_name: str | None
    speaker_uuid: str
    speaker_user_uuid: str | None
    speaker_is_host: bool
    timestamp_ms: int
    duration_ms: int
    id: str
    engine: str
    recognised_by: str
    model: str | None
    language: str | None


class UtteranceDocument(UtteranceKeys):
    """Something somebody said. `id`, `engine`, `recognised_by`, `model` and `language` are ours on top of the App
    Session API's keys. `engine` is whose transcript it is, `recognised_by` who understood it: one of the session's
    others where that one could not.
    """

    transcription: TranscriptionDocument


def parameters(session: AppSession, engine: str, updated_after: str | None) -> dict[str, Any]:
    """The parameters of `QUERY`; `engine` may be the id of a side transcript. Raises ApiError 400."""
    return {
        "session_id": session.session_id,
        "engine": str(engine),
        "changes": updated_after is not None,
        "updated_after_ms": _ALWAYS_MS if updated_after is None else queried_ms("updated_after", updated_after),
        "deleted_ms": said_until_ms(session),
    }


def engine_of(session: AppSession, named: str | None) -> Engine:
    """Whose transcript is wanted: the engine that is named, else the session's first. Raises ApiError 400."""
    settings = session_settings.readable(session.settings)
    if named is None:
        return settings.primary_engine
    if named not in settings.transcripts:
        raise refused(f"This session has no transcript of that engine. It has: {', '.join(settings.transcripts)}")
    return Engine(named)


def partials_of(session: AppSession, engine: Engine) -> bool:
    """True: that transcript has partials. Raises ApiError 400 where it has none."""
    settings = session_settings.readable(session.settings)
    if not settings.partials or engine is Engine.ZOOM:
        raise refused(
            "This transcript has no partials. Ask for them when you create the session:"
            ' {"transcription_settings": {"moonshine": {"partials": true}}}, or deepgram, and read that engine.'
        )
    return True


def format_of(named: str | None, accept: str) -> str:
    """`json` or `vtt`: what is named, else what the Accept header asks for. Raises ApiError 400."""
    if named is not None:
        if named not in (JSON, VTT):
            raise refused("Unknown format. Formats are: json, vtt")
        return named
    accepted = {entry.partition(";")[0].strip().lower() for entry in accept.split(",")}
    return VTT if VTT_MEDIA_TYPE in accepted and "application/json" not in accepted else JSON


def documents(session_id: str, engine: str, rows: Iterable[Row]) -> list[UtteranceDocument]:
    """The rows of `QUERY` as clients see them."""
    return [{**keys(session_id, engine, row), "transcription": transcription(row)} for row in rows]


def transcription(row: Row) -> TranscriptionDocument:
    """The words of a row: together, and each with its times where there are any."""
    said: TranscriptionDocument = {"transcript": row["text"]}
    words = words_in(row["words"])
    if words:
        said["words"] = [
            {"word": one.word, "start": _seconds(row, one.start_ms), "end": _seconds(row, one.end_ms)} for one in words
        ]
    return said


def _seconds(row: Row, ms: int) -> float:
    return (ms - int(row["start_ms"])) / 1000


def keys(session_id: str, engine: str, row: Row) -> UtteranceKeys:
    """What a row of `utterances` says besides the words."""
    return {
        "speaker_name": row["participant_name"],
        "speaker_uuid": ids.participant_uuid(session_id, row["participant_id"]),
        "speaker_user_uuid": None,
        "speaker_is_host": False,
        "timestamp_ms": row["start_ms"],
        "duration_ms": max(0, row["end_ms"] - row["start_ms"]),
        "id": row["utterance_id"],
        "engine": str(engine),
        "recognised_by": row["recognised_by"] or str(engine),
        "model": row["model"],
        "language": row["language"],
    }


def vtt(session: AppSession, rows: Iterable[Row]) -> str:
    """The rows of `QUERY` as WebVTT on the recording's clock; without a recording, on the first utterance's."""
    cues = [Cue(row["start_ms"], row["end_ms"], row["participant_name"], row["text"]) for row in rows if row["text"]]
    if session.recording is not None:
        return web_vtt(cues, session.recording.start_ms)
    return web_vtt(cues, cues[0].start_ms if cues else 0)
