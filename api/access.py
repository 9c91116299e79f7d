"""Who may do what: an API key opens exactly one project, as far as its scopes go; the admin token the control plane."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from api.credentials import Scope, check_admin, digest, presented, scope_of_method, unknown_key
from api.errors import ApiError, forbidden
from api.services import Here, Services
from schemas import topics
from schemas.records import ApiKey, ApiKeyUse

CONTROL_PLANE = "/api/v1/projects"
WHOLE_CONTROL_PLANE = "/api/v1/control_plane"
CUSTOMERS = "/api/v1/"

USE_NOTED_EVERY_MS = 60_000

_KEY = APIKeyHeader(name="Authorization", scheme_name="API key", description="`Token <key>`", auto_error=False)
_ADMIN = APIKeyHeader(
    name="Authorization", scheme_name="Admin token", description="`Token <admin token>`", auto_error=False
)


async def key_of(services: Services, header: str | None) -> ApiKey:
    """The key in an Authorization header. Raises ApiError 401 and 503."""
    secret = digest(presented(header))
    key = services.directory.key_of_digest(secret)
    if key is None:  # perhaps another replica made the key a moment ago
        await services.catch_up(topics.API_KEYS)
        key = services.directory.key_of_digest(secret)
    now_ms = services.clock.now_ms()
    if key is None or (key.expires_at_ms is not None and key.expires_at_ms <= now_ms):
        raise unknown_key()
    _note_use(services, key, now_ms)
    return key


def still_opens(services: Services, key: ApiKey) -> bool:
    """Whether a key that has opened something would open it now."""
    is_over = key.expires_at_ms is not None and key.expires_at_ms <= services.clock.now_ms()
    return services.directory.key_of_digest(key.secret_sha256) is not None and not is_over


def admit_admin(services: Services, header: str | None) -> None:
    """Raises ApiError 401 for everything but the admin token."""
    check_admin(presented(header), services.settings.admin_token.get_secret_value())


async def admit(services: Services, path: str, header: str | None) -> None:
    """Ask for what the routes below `path` ask for. Raises ApiError 401 and 503."""
    if any(path == prefix or path.startswith(f"{prefix}/") for prefix in (CONTROL_PLANE, WHOLE_CONTROL_PLANE)):
        admit_admin(services, header)
    elif path.startswith(CUSTOMERS):
        await key_of(services, header)


def check_scope(key: ApiKey, scope: Scope) -> None:
    """Raises ApiError 403 when the key does not go that far."""
    if key.scopes and scope not in key.scopes:
        raise forbidden(f"This key has no scope {scope}. It has: {', '.join(key.scopes)}.")


def _note_use(services: Services, key: ApiKey, now_ms: int) -> None:
    """Keep in mind when a key was last used; beside the request, and nothing hangs on it."""
    if now_ms - (services.directory.last_used_ms(key.key_id) or 0) < USE_NOTED_EVERY_MS:
        return
    use = ApiKeyUse(key_id=key.key_id, last_used_at_ms=now_ms)
    services.directory.apply_api_key_use(key.key_id, use)
    noting = asyncio.create_task(_noted(services, use))
    services.background.add(noting)
    noting.add_done_callback(services.background.discard)


async def _noted(services: Services, use: ApiKeyUse) -> None:
    try:
        await services.journal.write(topics.API_KEY_USES, use.key_id, use)
    except ApiError:
        return  # the next use after a minute is noted again


async def _current_key(services: Here, header: Annotated[str | None, Security(_KEY)]) -> ApiKey:
    return await key_of(services, header)


async def _reading_key(key: Annotated[ApiKey, Depends(_current_key)]) -> ApiKey:
    check_scope(key, Scope.READ)
    return key


async def _current_project(request: Request, key: Annotated[ApiKey, Depends(_current_key)]) -> str:
    check_scope(key, scope_of_method(request.method))
    return key.project_id


async def _managed_project(key: Annotated[ApiKey, Depends(_current_key)]) -> str:
    check_scope(key, Scope.MANAGE)
    return key.project_id


def _admin(services: Here, header: Annotated[str | None, Security(_ADMIN)]) -> None:
    admit_admin(services, header)


ReadingKey = Annotated[ApiKey, Depends(_reading_key)]
CurrentProject = Annotated[str, Depends(_current_project)]
ManagedProject = Annotated[str, Depends(_managed_project)]
AsAdmin = Depends(_admin)
