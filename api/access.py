"""Who may do what: an API key opens exactly one project, the admin token opens the control plane."""

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader

from api.credentials import check_admin, digest, presented, unknown_key
from api.services import Here, Services
from schemas import topics

CONTROL_PLANE = "/api/v1/projects"
CUSTOMERS = "/api/v1/"

_KEY = APIKeyHeader(name="Authorization", scheme_name="API key", description="`Token <key>`", auto_error=False)
_ADMIN = APIKeyHeader(
    name="Authorization", scheme_name="Admin token", description="`Token <admin token>`", auto_error=False
)


async def project_of(services: Services, header: str | None) -> str:
    """The project that an Authorization header opens. Raises ApiError 401 and 503."""
    key = digest(presented(header))
    project_id = services.directory.project_of_key(key)
    if project_id is None:  # perhaps another replica made the key a moment ago
        await services.catch_up(topics.API_KEYS)
        project_id = services.directory.project_of_key(key)
    if project_id is None:
        raise unknown_key()
    return project_id


def admit_admin(services: Services, header: str | None) -> None:
    """Raises ApiError 401 for everything but the admin token."""
    check_admin(presented(header), services.settings.admin_token.get_secret_value())


async def admit(services: Services, path: str, header: str | None) -> None:
    """Ask for what the routes below `path` ask for. Raises ApiError 401 and 503."""
    if path == CONTROL_PLANE or path.startswith(f"{CONTROL_PLANE}/"):
        admit_admin(services, header)
    elif path.startswith(CUSTOMERS):
        await project_of(services, header)


async def _current_project(services: Here, header: Annotated[str | None, Security(_KEY)]) -> str:
    return await project_of(services, header)


def _admin(services: Here, header: Annotated[str | None, Security(_ADMIN)]) -> None:
    admit_admin(services, header)


CurrentProject = Annotated[str, Depends(_current_project)]
AsAdmin = Depends(_admin)
