"""What follows from Zoom's news of a stream."""

from api.app_sessions import commands
from api.app_sessions.admission import admit
from api.app_sessions.archive import bring_back
from api.app_sessions.requests import SessionOrder, within
from api.app_sessions.stream_requests import AnnouncedStream
from api.control_plane import templates
from api.errors import ApiError
from api.services import Services
from connectors.host import traces
from connectors.host.logs import get_logger
from connectors.rtms.protocol.retry import is_restartable
from connectors.rtms.protocol.webhooks import StreamWebhook, WebhookKind
from schemas import deletion, ids, topics
from schemas.records import FactKind, SessionFact, ZoomApp
from schemas.requests import DIRECT
from schemas.sessions import TERMINAL

log = get_logger(__name__)


async def follow(services: Services, app: ZoomApp, news: StreamWebhook) -> str:
    """State what the news means; a word for it. Raises ApiError 503 where Kafka does not have it."""
    session_id = ids.session_id(app.project_id, news.stream_id)
    if news.kind is WebhookKind.STARTED:
        with traces.spanning(session_id, "create"):
            return await _started(services, app, news, session_id)
    if news.kind is WebhookKind.STOPPED:
        return await _stopped(services, app, news, session_id)
    return "left to the worker"  # which sees the interruption itself, and joins again


async def _started(services: Services, app: ZoomApp, news: StreamWebhook, session_id: str) -> str:
    urls = services.addresses.permitted(news.server_urls)
    if not urls:
        log.warning("a stream at no allowed host", zoom_app_id=app.zoom_app_id, session_id=session_id)
        return "address not allowed"
    stream = AnnouncedStream(
        product=news.product,
        meeting_id=news.meeting_id,
        stream_id=news.stream_id,
        server_urls=urls,
        operator_id=news.operator_id,
    )
    if services.sessions.get(app.project_id, session_id) is None:
        try:
            await admit(services, app.project_id, session_id, None)
        except ApiError as error:
            if error.status >= 500:
                raise
            log.warning("no place for a stream", project_id=app.project_id, session_id=session_id)
            return "over the limit"
    wishes = within(templates.wishes(services, app.project_id), services.directory.project(app.project_id))
    order = SessionOrder(stream, wishes, app.zoom_app_id)
    await services.journal.state(commands.requested(app.project_id, session_id, order, app.zoom_app_id, source=DIRECT))
    return "requested"


async def _stopped(services: Services, app: ZoomApp, news: StreamWebhook, session_id: str) -> str:
    session = services.sessions.get(app.project_id, session_id)
    if session is None and news.requires_deletion:
        session = await commands.known(services, app.project_id, session_id)
    if session is None:
        await services.catch_up(topics.APP_SESSIONS)
        session = services.sessions.get(app.project_id, session_id)
    if session is None and not await _is_coming(services, app.project_id, session_id):
        return "already over"
    if news.requires_deletion:
        if session is not None:
            await bring_back(services, session)
        await _revoked(services, app, session_id)
    if session is not None and session.state in TERMINAL:
        return "already over"
    may_pass = news.stop_reason is not None and is_restartable(news.stop_reason)
    await services.journal.state(
        SessionFact(
            session_id=session_id,
            kind=FactKind.STREAM_STOPPED if may_pass else FactKind.END_REQUESTED,
            project_id=app.project_id,
            source=DIRECT,
            reason=None if news.stop_reason is None else f"stop_reason_{news.stop_reason}",
        )
    )
    return "left to the worker" if may_pass else "end requested"  # Zoom may start the stream again


async def _is_coming(services: Services, project_id: str, session_id: str) -> bool:
    """Whether a session that nobody knows may have been requested: facts wait for as long as nobody folds them, and
    what is stated now stands behind the request."""
    await services.catch_up(topics.CLAIMS)
    return services.claims.holds(project_id, session_id)


async def _revoked(services: Services, app: ZoomApp, session_id: str) -> None:
    """Somebody took back the consent: the data goes, whatever state the session is in."""
    fact = SessionFact(
        session_id=session_id,
        kind=FactKind.DATA_DELETED,
        project_id=app.project_id,
        source=DIRECT,
        reason=deletion.CONSENT_REVOKED,
    )
    await services.journal.state(fact)
    log.warning("consent revoked", session_id=session_id)
