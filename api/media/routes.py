"""Links to recordings."""

import asyncio

from fastapi import APIRouter
from typing_extensions import TypedDict

from api.access import CurrentProject
from api.answers import READING
from api.app_sessions import commands
from api.errors import not_found, unavailable
from api.paths import APP_SESSION, BOT
from api.services import Here, Services
from connectors.host.logs import get_logger
from connectors.objects.errors import ObjectsError
from schemas import topics
from schemas.recordings import whole
from schemas.records import Stored

log = get_logger(__name__)

router = APIRouter(tags=["Media"])


class MediaDocument(TypedDict):
    """`url` needs no key and expires; `start_timestamp_ms` is the recording's first moment in Unix milliseconds."""

    url: str
    start_timestamp_ms: int | None


@router.get(f"{APP_SESSION}/media", responses=READING)
async def get_media(session_id: str, project_id: CurrentProject, services: Here) -> MediaDocument:
    """A link to the recording, once it is finished. Whoever has the link may fetch it, in parts if need be."""
    recording = await _recording(services, project_id, session_id, "App session")
    return await asyncio.to_thread(_link, services, recording, "app session")


@router.get(f"{BOT}/recording", responses=READING)
async def get_recording(session_id: str, project_id: CurrentProject, services: Here) -> MediaDocument:
    """The same as an app session's media."""
    recording = await _recording(services, project_id, session_id, "Bot")
    return await asyncio.to_thread(_link, services, recording, "bot")


async def _recording(services: Services, project_id: str, session_id: str, kind: str) -> Stored | None:
    """As its view asks for it, where that could be made."""
    session = await commands.find(services, project_id, session_id, kind)
    if whole(session) is None:  # "not ready" is as definite an answer as "not found"
        await services.catch_up(topics.APP_SESSIONS)
        session = await commands.find(services, project_id, session_id, kind)
    return whole(session)


def _link(services: Services, recording: Stored | None, kind: str) -> MediaDocument:
    """In a thread: a store may have to be asked to sign it."""
    if recording is None or recording.key is None:
        raise not_found(f"No media file found for {kind}")
    expires_s = services.settings.media_url_expires_s
    try:
        url = services.objects.signed_url(recording.key, expires_s, services.clock.now_ms())
    except ObjectsError as error:
        log.warning("no link", error=type(error).__name__)
        raise unavailable("Object storage cannot be used now. Try again.") from None
    return {"url": url, "start_timestamp_ms": recording.start_ms}
