"""The FastAPI app, made from what it works with."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from api import refusals
from api.app_sessions.deletion_routes import router as data_deletion
from api.app_sessions.participant_routes import router as participants
from api.app_sessions.routes import router as app_sessions
from api.bots.routes import router as bots
from api.chat_messages.routes import router as chat_messages
from api.control_plane.archive_routes import router as archive
from api.control_plane.credential_routes import router as credentials
from api.control_plane.routes import router as control_plane
from api.document import openapi_document
from api.media.downloads import router as downloads
from api.media.live import router as live
from api.media.routes import router as media
from api.media.subtitles import router as subtitles
from api.media.tracks import router as tracks
from api.observation import Observed
from api.participant_events.routes import router as participant_events
from api.participant_events.stream_routes import router as participant_events_live
from api.services import Services
from api.states.routes import router as states_live
from api.transcripts.export_routes import router as exports
from api.transcripts.routes import router as transcripts
from api.transcripts.search_routes import router as search
from api.transcripts.stream_routes import router as transcripts_live
from api.transcripts.talk_time_routes import router as talk_time
from api.webhooks.delivery_routes import router as deliveries
from api.webhooks.routes import router as webhooks
from api.zoom.routes import router as zoom
from connectors.host.clock import Clock

VERSION = "0.1.0"

DESCRIPTION = """App Sessions for Zoom RTMS: what is said, shown and done in a Zoom meeting, without a bot in it.

Point your Zoom app's event notifications at its address here (`/zoom/{zoom_app_id}`), or forward Zoom's
`*.rtms_started` webhook to `POST /api/v1/app_sessions`. Then read transcript, recording and participants, or be told by
webhooks.

**Authorization**: `Authorization: Token <key>`. A key opens one project, as far as its scopes go: `read`, `write`,
`manage`. The operator's admin token opens projects, keys, Zoom apps, credentials and the control plane.

**Times** are ISO 8601 with microseconds; media times (`…_ms`) are Unix milliseconds of Zoom's clock.

**Lists** have 25 items a page; `next` and `previous` are whole addresses, or null.

**Refusals**: `{"error": …}` for what makes no sense, `{"detail": …}` for what HTTP knows, field names for what is wrong
with a body. 503 means "not now": asking again is always safe. There is no other 5xx on purpose.

**Webhooks**: the body is signed as it is sent, with base64(HMAC-SHA256(secret, body)) in `X-Webhook-Signature` (the
secret is base64 itself); `webhook-id`, `webhook-timestamp` and `webhook-signature` are Standard Webhooks'. Within a
session they come in the order of `sequence`; a repeated one has the same `idempotency_key`."""

NOBODYS = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(open_services: OpenServices, clock: Clock, *, serves_objects: bool) -> FastAPI:
    """The app; its services are opened when it starts. `serves_objects`: recordings are in a folder of this machine."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        _build_routes(app)
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
    customers = (
        app_sessions,
        bots,
        media,
        tracks,
        live,
        subtitles,
        transcripts,
        exports,
        search,
        talk_time,
        participant_events,
        chat_messages,
        participants,
        transcripts_live,
        participant_events_live,
        states_live,
        data_deletion,
        webhooks,
        deliveries,
    )
    for router in (*customers, control_plane, credentials, archive, zoom):
        app.include_router(router)
    if serves_objects:
        app.include_router(downloads)
    app.add_middleware(Observed, clock=clock)
    refusals.install(app)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def _build_routes(app: FastAPI) -> None:
    """FastAPI builds an included route when a request first looks for one: 150 ms that no customer should wait."""
    for route in app.routes:
        route.matches(dict(NOBODYS))
