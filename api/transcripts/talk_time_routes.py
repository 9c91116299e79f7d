"""How long each participant of a session spoke."""

from fastapi import APIRouter

from api.answers import answers
from api.app_sessions.current import CurrentSession
from api.paths import APP_SESSION
from api.services import Here
from api.transcripts import talk_time, utterances
from api.transcripts.talk_time import TalkTimeDocument

router = APIRouter(tags=["Transcripts"])


@router.get(f"{APP_SESSION}/talk_time", responses=answers(400, 401, 403, 404, 503))
async def get_talk_time(session: CurrentSession, services: Here, engine: str | None = None) -> TalkTimeDocument:
    """How long each participant spoke so far, from the times of their utterances; the longest first."""
    chosen = utterances.engine_of(session, engine)
    rows = await services.select(talk_time.QUERY, utterances.parameters(session, chosen, None))
    return talk_time.document(session, chosen, rows)
