"""What was said and written while one segment of a recording lasts, as subtitles; for whoever has the link."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import answers
from api.app_sessions.archive import linked
from api.chat_messages import messages
from api.errors import not_found
from api.media.links import PATH, Links, Shown
from api.media.objects import ANYWHERE
from api.services import Here
from api.transcript_formats import Cue, web_vtt_piece
from api.transcripts import utterances
from schemas.object_names import StoredSegment, chat_key, subtitles_key

WRITTEN_MS = 5_000
"""How long a message is shown."""

MOST_WRITTEN = 200
"""Messages that are looked through for a file."""

router = APIRouter(tags=["Media"])

_QUERY = """
SELECT participant_name, start_ms, end_ms, text
FROM utterances
WHERE session_id = {session_id:String} AND engine = {engine:String}
  AND status = 'final' AND text != '' AND start_ms < {end_ms:Int64} AND end_ms >= {start_ms:Int64}
  AND start_ms > {deleted_ms:Int64}
ORDER BY start_ms, utterance_id
"""


@router.get(
    PATH + "/sessions/{session_id}/subtitles/{origin_ms}-{start_ms}-{duration_ms}.vtt",
    responses=answers(400, 403, 404, 503),
    response_class=Response,
)
async def read_subtitles(
    session_id: str, origin_ms: int, start_ms: int, duration_ms: int, services: Here, proof: Shown
) -> Response:
    """WebVTT whose times count from the recording's first moment; what lasts longer stands in the next file again."""
    segment = StoredSegment(start_ms, duration_ms, "", "")
    Links.opened(services, subtitles_key(session_id, origin_ms, segment), proof)
    session = await linked(services, session_id)
    if session is None:
        raise not_found("App session not found")
    engine = utterances.engine_of(session, None)
    wanted = utterances.parameters(session, engine, None) | {"start_ms": start_ms, "end_ms": segment.end_ms}
    rows = await services.select(_QUERY, wanted)
    cues = [Cue(row["start_ms"], row["end_ms"], row["participant_name"], row["text"]) for row in rows]
    return _answer(cues, origin_ms, segment)


@router.get(
    PATH + "/sessions/{session_id}/chat/{origin_ms}-{start_ms}-{duration_ms}.vtt",
    responses=answers(400, 403, 404, 503),
    response_class=Response,
)
async def read_written(
    session_id: str, origin_ms: int, start_ms: int, duration_ms: int, services: Here, proof: Shown
) -> Response:
    """The chat in the same form, each message shown for some seconds; without what was deleted in the meeting."""
    segment = StoredSegment(start_ms, duration_ms, "", "")
    Links.opened(services, chat_key(session_id, origin_ms, segment), proof)
    session = await linked(services, session_id)
    if session is None or session.deletion is not None:
        raise not_found("App session not found")
    rows = await services.select(*messages.within(session_id, start_ms - WRITTEN_MS, MOST_WRITTEN))
    return _answer(messages.cues(rows, segment.end_ms, WRITTEN_MS), origin_ms, segment)


def _answer(cues: Sequence[Cue], origin_ms: int, segment: StoredSegment) -> Response:
    text = web_vtt_piece(cues, origin_ms, segment.start_ms)
    return Response(text, media_type=utterances.VTT_MEDIA_TYPE, headers=ANYWHERE)
