"""Links to what a recording has beside itself: a file of each participant's sound, and of the shared screens."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter
from typing_extensions import TypedDict

from api.access import CurrentProject
from api.answers import READING
from api.app_sessions import commands, participants
from api.errors import not_found, unavailable
from api.paths import APP_SESSION
from api.services import Here, Services
from connectors.host.logs import get_logger
from connectors.objects.errors import ObjectsError
from schemas import ids, topics
from schemas.records import AppSession, StoredTrack
from schemas.tracks import Kind, kind, participant_of

log = get_logger(__name__)

router = APIRouter(tags=["Media"])

RECORDED = "recording"

Names = Mapping[int, str | None]


class TrackDocument(TypedDict):
    """A file that begins and ends with the recording. `url` needs no key and expires; where there is no file it is null
    and `reason` says why. `kind` is `audio` of a participant, `share`, the screens that anybody shared, or `recording`:
    beside a composed one, the one that it was drawn of."""

    track: str
    kind: str
    participant_uuid: str | None
    participant_name: str | None
    url: str | None
    start_timestamp_ms: int | None
    duration_ms: int | None
    size_bytes: int | None
    reason: str | None


class TracksDocument(TypedDict):
    """All tracks of a recording, participants first, the recording itself last."""

    tracks: list[TrackDocument]


@router.get(f"{APP_SESSION}/media/tracks", responses=READING)
async def get_tracks(session_id: str, project_id: CurrentProject, services: Here) -> TracksDocument:
    """Links to the recording's tracks, once it is finished; without any the session asked for none, or had none."""
    session = await commands.find(services, project_id, session_id)
    if not _is_told(session):
        await services.catch_up(topics.APP_SESSIONS)
        session = await commands.find(services, project_id, session_id)
    if not _is_told(session):
        raise not_found("No media file found for app session")
    names: Names = {}
    if any(participant_of(track.track) is not None for track in session.tracks):
        rows = await services.select(participants.QUERY, participants.parameters(session_id))
        names = {row["participant_id"]: row["name"] for row in rows}
    return await asyncio.to_thread(_documents, services, session, names)


def _is_told(session: AppSession) -> bool:
    return session.recording is not None or bool(session.tracks)


def _documents(services: Services, session: AppSession, names: Names) -> TracksDocument:
    """In a thread: a store may have to be asked to sign the links."""
    tracks = sorted(
        session.tracks, key=lambda track: (kind(track.track) is Kind.SHARE, participant_of(track.track) or 0)
    )
    try:
        documents = [_document(services, session.session_id, track, names) for track in tracks]
        return {"tracks": [*documents, *_undrawn(services, session)]}
    except ObjectsError as error:
        log.warning("no link", error=type(error).__name__)
        raise unavailable("Object storage cannot be used now. Try again.") from None


def _document(services: Services, session_id: str, track: StoredTrack, names: Names) -> TrackDocument:
    who, is_there = participant_of(track.track), track.key is not None
    return {
        "track": track.track,
        "kind": kind(track.track),
        "participant_uuid": None if who is None else ids.participant_uuid(session_id, who),
        "participant_name": None if who is None else names.get(who),
        "url": _link(services, track.key),
        "start_timestamp_ms": track.start_ms if is_there else None,
        "duration_ms": track.duration_ms if is_there else None,
        "size_bytes": track.size_bytes if is_there else None,
        "reason": track.reason,
    }


def _undrawn(services: Services, session: AppSession) -> list[TrackDocument]:
    """The recording itself, where another one is shown instead."""
    itself = session.recording
    if session.composed is None or itself is None or itself.key is None:
        return []
    return [
        {
            "track": RECORDED,
            "kind": RECORDED,
            "participant_uuid": None,
            "participant_name": None,
            "url": _link(services, itself.key),
            "start_timestamp_ms": itself.start_ms,
            "duration_ms": itself.duration_ms,
            "size_bytes": itself.size_bytes,
            "reason": None,
        }
    ]


def _link(services: Services, key: str | None) -> str | None:
    if key is None:
        return None
    return services.objects.signed_url(key, services.settings.media_url_expires_s, services.clock.now_ms())
