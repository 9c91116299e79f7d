"""The session that a path names, as a parameter of handlers."""

from typing import Annotated

from fastapi import Depends

from api.access import CurrentProject
from api.app_sessions.commands import find
from api.services import Here
from schemas.records import AppSession


async def _current_session(session_id: str, project_id: CurrentProject, services: Here) -> AppSession:
    return await find(services, project_id, session_id)


CurrentSession = Annotated[AppSession, Depends(_current_session)]
