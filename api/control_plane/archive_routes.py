"""The whole control plane over REST: to keep it, to bring it elsewhere, to encrypt it anew."""

from typing import Any

from fastapi import APIRouter, Request

from api.access import WHOLE_CONTROL_PLANE, AsAdmin
from api.answers import WRITING, answers, json_body
from api.bodies import read_json
from api.control_plane import archive
from api.services import Here

router = APIRouter(prefix=WHOLE_CONTROL_PLANE, tags=["Control plane"], dependencies=[AsAdmin])

LARGEST_BYTES = 64 * 1024 * 1024

_LISTS = ("projects", "api_keys", "zoom_apps", "webhook_subscriptions", "templates")
_LISTED = (*_LISTS, "credentials")
_SCHEMA = {
    "type": "object",
    "properties": {
        "version": {"const": archive.VERSION},
        **{name: {"type": "array", "items": {"type": "object"}} for name in _LISTED},
    },
    "required": ["version", *_LISTS],
    "additionalProperties": False,
}
_EXAMPLE: dict[str, Any] = {"version": archive.VERSION} | {name: [] for name in _LISTED}


@router.get("", responses=answers(401, 503))
async def export_control_plane(services: Here) -> dict[str, Any]:
    """Everything, secrets encrypted with the key ring and API keys as hashes."""
    return await archive.exported(services)


@router.put("", responses=WRITING, openapi_extra=json_body(_SCHEMA, nothing=_EXAMPLE))
async def import_control_plane(request: Request, services: Here) -> dict[str, int]:
    """Write everything in an export, over what has the same ids; nothing is removed. May be repeated."""
    return await archive.imported(services, await read_json(request, LARGEST_BYTES))


@router.post("/reencrypt", responses=answers(400, 401, 503))
async def reencrypt_control_plane(services: Here) -> dict[str, int]:
    """Encrypt every secret with the first key of RTMS_SECRETS_KEYS, after which the others may be dropped."""
    return await archive.reencrypted(services)
