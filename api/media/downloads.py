"""Serves the objects of a local folder behind signed links; a bucket serves its own.

No key of a project is needed or looked at: the signature is the permission.
"""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from api.answers import answers
from api.errors import ApiError, forbidden, not_found, unavailable
from api.media import objects
from api.media.links import REFUSALS
from api.media.ranges import part_of
from api.services import Here, Services
from connectors.objects.errors import BadKey, NotFound, ObjectsError
from connectors.objects.store import StoredObject
from schemas.keys import session_of_object

PATH = "/objects"

router = APIRouter(prefix=PATH, tags=["Media"])


@router.head("/{key:path}", responses=answers(403, 404, 503), include_in_schema=False)
@router.get(
    "/{key:path}",
    responses=answers(403, 404, 503) | {206: {"description": "A part of it."}, 416: {"description": "No such part."}},
    response_class=Response,
)
async def get_object(request: Request, key: str, services: Here, expires: str = "", signature: str = "") -> Response:
    """An object, whole or the part that a Range header names."""
    verdict = services.objects.verify(key, expires, signature, services.clock.now_ms())
    if verdict in REFUSALS:
        raise forbidden(REFUSALS[verdict])
    if _is_deleted(services, key):
        raise not_found("No media file found")
    stored = await _stored(services, key)
    part = part_of(objects.wanted_range(request.headers, stored), stored.size_bytes)
    if part is None:
        size = f"bytes */{stored.size_bytes}"
        raise ApiError(416, {"error": "The object has no such part."}, {"Content-Range": size})
    headers, status = objects.headers(stored, part), 200 if part.whole else 206
    if request.method == "HEAD" or part.start == part.end:
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_body(services, key, part.start, part.end), status, headers)


def _is_deleted(services: Services, key: str) -> bool:
    """Whether it is of a session whose data is deleted: from then on a link leads nowhere, gone or not."""
    session = services.sessions.find(session_of_object(key) or "")
    return session is not None and session.deletion is not None


async def _stored(services: Services, key: str) -> StoredObject:
    try:
        return await services.objects.stat_async(key)
    except (NotFound, BadKey):
        raise not_found("No media file found") from None
    except ObjectsError:
        raise unavailable("Object storage cannot be used now. Try again.") from None


def _body(services: Services, key: str, start: int, end: int) -> AsyncIterator[bytes]:
    return services.objects.stream_async(key, start, end)
