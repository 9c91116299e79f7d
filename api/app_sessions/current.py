"""The session that a path names, as a parameter of handlers.

Who is not found depends on where one asks: routes that app sessions have from bots speak of bots, as clients know it.
"""

from typing import Annotated

from fastapi import Depends

from api.access import CurrentProject
from api.app_sessions.commands import find
from api.services import Here
from schemas.records import AppSession

BOT = "Bot"


async def _current_session(session_id: str, project_id: CurrentProject, services: Here) -> AppSession:
    return await find(services, project_id, session_id)


async def _current_bot(session_id: str, project_id: CurrentProject, services: Here) -> AppSession:
    return await find(services, project_id, session_id, BOT)


CurrentSession = Annotated[AppSession, Depends(_current_session)]
CurrentBot = Annotated[AppSession, Depends(_current_bot)]
