"""Links to recordings."""

from fastapi import APIRouter
from typing_extensions import TypedDict

from api.access import CurrentProject
from api.answers import READING
from api.app_sessions import commands
from api.errors import not_found, unavailable
from api.services import Here, Services
from connectors.host.logs import get_logger
from connectors.objects.errors import ObjectsError
from schemas import topics
from schemas.records import Stored

log = get_logger(__name__)

router = APIRouter(prefix="/api/v1/app_sessions", tags=["Media"])


class MediaDocument(TypedDict):
    """`url` needs no key and expires; `start_timestamp_ms` is the recording's first moment in Unix milliseconds."""

    url: str
    start_timestamp_ms: int | None


@router.get("/{session_id}/media", responses=READING)
async def get_media(session_id: str, project_id: CurrentProject, services: Here) -> MediaDocument:
    """A link to the recording, once it is finished. Whoever has the link may fetch it, in parts if need be."""
    recording = await _recording(services, project_id, session_id)
    if recording is None or recording.key is None:
        raise not_found("No media file found for app session")
    expires_s = services.settings.media_url_expires_s
    try:
        url = services.objects.signed_url(recording.key, expires_s, services.clock.now_ms())
    except ObjectsError as error:
        log.warning("no link", error=type(error).__name__)
        raise unavailable("Object storage cannot be used now. Try again.") from None
    return {"url": url, "start_timestamp_ms": recording.start_ms}


async def _recording(services: Services, project_id: str, session_id: str) -> Stored | None:
    session = await commands.find(services, project_id, session_id)
    if session.recording is None:  # "not ready" is as definite an answer as "not found"
        await services.catch_up(topics.APP_SESSIONS)
        session = await commands.find(services, project_id, session_id)
    return session.recording
