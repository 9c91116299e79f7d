"""The FastAPI app, made from what it works with."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from api import refusals
from api.app_sessions.routes import router as app_sessions
from api.control_plane.routes import router as control_plane
from api.media.downloads import router as downloads
from api.media.live import router as live
from api.media.routes import router as media
from api.media.subtitles import router as subtitles
from api.observation import Observed
from api.participant_events.routes import router as participant_events
from api.services import Services
from api.transcripts.routes import router as transcripts
from connectors.host.clock import Clock

VERSION = "0.1.0"

DESCRIPTION = """App Sessions for Zoom RTMS: forward Zoom's `*.rtms_started` webhook, get transcript, recording and
participant events back. Authorize with `Token <key>`."""

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(open_services: OpenServices, clock: Clock, *, serves_objects: bool) -> FastAPI:
    """The app; its services are opened when it starts. `serves_objects`: recordings are in a folder of this machine."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services() as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="rtms-pipeline",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in (app_sessions, media, live, subtitles, transcripts, participant_events, control_plane):
        app.include_router(router)
    if serves_objects:
        app.include_router(downloads)
    app.add_middleware(Observed, clock=clock)
    refusals.install(app)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document without the 422 that FastAPI promises and nothing here answers."""
    document = FastAPI.openapi(app)
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document.get("components", {}).get("schemas", {}).pop(name, None)
    return document
