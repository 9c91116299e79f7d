"""A recording as it grows: a link to its playlist for whoever has a key, the playlist for whoever has the link."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from typing_extensions import TypedDict

from api.access import CurrentProject
from api.answers import READING, answers
from api.app_sessions import commands
from api.errors import forbidden, not_found, unavailable
from api.media.downloads import REFUSALS
from api.media.objects import ANYWHERE
from api.media.playlists import MEDIA_TYPE, playable, playlist
from api.services import Here, Services
from connectors.host.logs import get_logger
from connectors.objects.errors import ObjectsError
from schemas import settings as session_settings
from schemas.object_names import StoredSegment, playlist_key, segments_prefix, stored_segments
from schemas.records import AppSession
from schemas.sessions import TERMINAL, Progress

log = get_logger(__name__)

PATH = "/playlists"

router = APIRouter(tags=["Media"])

_NOTHING = "Nothing of this recording can be played yet"
_NO_STORAGE = "Object storage cannot be used now. Try again."
_OVER = frozenset({Progress.COMPLETE, Progress.FAILED})


class PlaylistDocument(TypedDict):
    """`url` needs no key and expires: an HLS playlist that grows while the meeting goes on and is final after it."""

    url: str


@router.get("/api/v1/app_sessions/{session_id}/playlist", responses=READING)
async def get_playlist(session_id: str, project_id: CurrentProject, services: Here) -> PlaylistDocument:
    """A link that plays the recording, from a few seconds after its first picture on, in anything that plays HLS."""
    session = await commands.find(services, project_id, session_id)
    address = services.settings.base_url() + PATH
    expires_at_s = services.clock.now_ms() // 1000 + services.settings.playlist_url_expires_s
    try:
        if not await asyncio.to_thread(_playable, services, session_id, is_over=_is_over(session)):
            raise not_found(_NOTHING)
        return {"url": services.objects.link_here(address, playlist_key(session_id), expires_at_s)}
    except ObjectsError as error:
        log.warning("no playlist link", reason=str(error))
        raise unavailable(_NO_STORAGE) from None


@router.get(PATH + "/sessions/{session_id}/recording.m3u8", responses=answers(403, 404, 503), response_class=Response)
async def read_playlist(session_id: str, services: Here, expires: str = "", signature: str = "") -> Response:
    """The playlist as of now; its own links work as long as this one."""
    now_ms = services.clock.now_ms()
    try:
        verdict = services.objects.verify(playlist_key(session_id), expires, signature, now_ms)
        if verdict in REFUSALS:
            raise forbidden(REFUSALS[verdict])
        text = await asyncio.to_thread(_text, services, session_id, int(expires) - now_ms // 1000, now_ms)
    except ObjectsError:
        raise unavailable(_NO_STORAGE) from None
    return Response(text, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store", **ANYWHERE})


def _text(services: Services, session_id: str, expires_s: int, now_ms: int) -> str:
    """In a thread: an hour's links take some 20 ms to sign. Raises ApiError 404 and ObjectsError."""
    session = services.sessions.find(session_id)
    is_over = session is None or _is_over(session)
    segments = _playable(services, session_id, is_over=is_over)
    if not segments:
        raise not_found(_NOTHING)
    grid_ms = session_settings.readable(session.settings if session else "").grid_ms
    link = lambda key: services.objects.signed_url(key, expires_s, now_ms)  # noqa: E731
    return playlist(session_id, segments, grid_ms, link, is_over=is_over)


def _playable(services: Services, session_id: str, *, is_over: bool) -> Sequence[StoredSegment]:
    listing = services.objects.list(segments_prefix(session_id))
    return playable(stored_segments((item.key, item.modified_ms) for item in listing), is_over=is_over)


def _is_over(session: AppSession) -> bool:
    """Whether no segment will come any more."""
    return session.recording_state in _OVER or session.state in TERMINAL
