"""A recording as it grows: a link to its playlists for whoever has a key, the playlists for whoever has the link."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

from fastapi import APIRouter
from fastapi.responses import Response
from typing_extensions import TypedDict

from api.access import CurrentProject
from api.answers import READING, answers
from api.app_sessions import commands
from api.app_sessions.archive import linked
from api.errors import not_found, unavailable
from api.media import formats, playlists
from api.media.links import PATH, Links, Proof, Shown
from api.media.objects import ANYWHERE
from api.media.recordings import Recording
from api.services import Here, Services
from connectors.host.logs import get_logger
from connectors.objects.errors import NotFound, ObjectsError
from schemas.object_names import CHAT, INDEX, RECORDING, TRANSCRIPT, header_key, playlist_key

MOST_HEADERS = 16
"""That are looked at to say what a recording is coded in; there is one for each size of pictures, or few more."""

log = get_logger(__name__)

router = APIRouter(tags=["Media"])

_ANSWERS = answers(403, 404, 503)
_UNCACHED = {"Cache-Control": "no-store", **ANYWHERE}

Write = Callable[[Recording, Links], str]


class PlaylistDocument(TypedDict):
    """`url` needs no key and expires: an HLS playlist that grows while the meeting goes on and is final after it."""

    url: str


@router.get("/api/v1/app_sessions/{session_id}/playlist", responses=READING)
async def get_playlist(session_id: str, project_id: CurrentProject, services: Here) -> PlaylistDocument:
    """A link that plays the recording, from a few seconds after its first picture on, in anything that plays HLS."""
    await commands.find(services, project_id, session_id)
    url = await _written(
        services, session_id, Links.fresh(services), lambda _, links: links.made(playlist_key(session_id, INDEX))
    )
    return {"url": url}


@router.get(PATH + "/sessions/{session_id}/index.m3u8", responses=_ANSWERS, response_class=Response)
async def read_index(session_id: str, services: Here, proof: Shown) -> Response:
    """What there is to play: the recording, and what was said and written in it as subtitles."""
    return await _answered(services, session_id, INDEX, proof, _index)


@router.get(PATH + "/sessions/{session_id}/recording.m3u8", responses=_ANSWERS, response_class=Response)
async def read_recording(session_id: str, services: Here, proof: Shown) -> Response:
    """The recording as of now; its links work as long as this one."""
    return await _answered(services, session_id, RECORDING, proof, playlists.recording)


@router.get(PATH + "/sessions/{session_id}/transcript.m3u8", responses=_ANSWERS, response_class=Response)
async def read_transcript(session_id: str, services: Here, proof: Shown) -> Response:
    """The subtitles as of now, in step with the recording."""
    return await _answered(services, session_id, TRANSCRIPT, proof, playlists.transcript)


@router.get(PATH + "/sessions/{session_id}/chat.m3u8", responses=_ANSWERS, response_class=Response)
async def read_chat(session_id: str, services: Here, proof: Shown) -> Response:
    """What was written as of now, in step with the recording."""
    return await _answered(services, session_id, CHAT, proof, playlists.chat)


def _index(recording: Recording, links: Links) -> str:
    return playlists.index(recording, links, formats.of(_headers(recording, links)))


def _headers(recording: Recording, links: Links) -> Iterator[bytes]:
    """Those of most segments, as far as they are there. Raises ObjectsError."""
    for header, _ in Counter(segment.header for segment in recording.segments).most_common(MOST_HEADERS):
        with suppress(NotFound):
            yield links.services.objects.get(header_key(recording.session_id, header))


async def _answered(services: Services, session_id: str, name: str, proof: Proof, write: Write) -> Response:
    links = Links.opened(services, playlist_key(session_id, name), proof)
    text = await _written(services, session_id, links, write)
    return Response(text, media_type=playlists.MEDIA_TYPE, headers=_UNCACHED)


async def _written(services: Services, session_id: str, links: Links, write: Write) -> str:
    """In a thread: an hour's links take some 20 ms to sign."""
    session = await linked(services, session_id)
    try:
        recording = await asyncio.to_thread(Recording.of, services, session_id, session)
        if not recording.segments:
            raise not_found("Nothing of this recording can be played yet")
        return await asyncio.to_thread(write, recording, links)
    except ObjectsError as error:
        log.warning("no playlist", reason=str(error))
        raise unavailable("Object storage cannot be used now. Try again.") from None
