"""Creating and ending sessions: state a fact, wait until it is folded, answer from the state.

The log decides, not this replica: any number of replicas agree, and asking twice does no harm.
"""

from collections.abc import Sequence
from dataclasses import replace

from api.app_sessions.admission import admit
from api.app_sessions.archive import archived, glimpsed
from api.app_sessions.external_storage import required_credential
from api.app_sessions.requests import SessionOrder, within
from api.errors import not_found, refused, unavailable
from api.services import Services
from connectors.host import traces
from schemas import ids, topics
from schemas import settings as session_settings
from schemas.records import AppSession, CredentialKind, FactKind, SessionFact, StreamRequest, ZoomApp
from schemas.sessions import TERMINAL, State
from schemas.settings import SessionSettings

SOURCE = "api"

_ENDABLE = frozenset({State.CONNECTING, State.CONNECTED})
_NOT_ENDABLE = (
    "Event app_session_disconnect_requested not allowed when bot is in state {}. "
    "It is only allowed in these states: connected, connecting"
)


async def create(services: Services, project_id: str, order: SessionOrder) -> AppSession:
    """Request a session; an existing one of the same stream is returned, with new addresses while it is live."""
    await _check_storage(services, project_id, order.wishes.settings)
    app = await _zoom_app(services, project_id, order.zoom_app)
    session_id, key = ids.session_id(project_id, order.stream.stream_id), order.wishes.deduplication_key
    with traces.spanning(session_id, "create"):
        known = services.sessions.get(project_id, session_id)
        if known is None and (over := await _archived(services, project_id, session_id)) is not None:
            return over
        if known is None or (known.state not in TERMINAL and key not in (None, known.deduplication_key)):
            await admit(services, project_id, session_id, key)
        order = replace(order, wishes=within(order.wishes, services.directory.project(project_id)))
        return await stated(services, requested(project_id, session_id, order, app.zoom_app_id))


async def _check_storage(services: Services, project_id: str, settings: SessionSettings) -> None:
    """Raises ApiError 400 where a copy is wanted that nobody could make."""
    kind = CredentialKind.EXTERNAL_MEDIA_STORAGE
    if settings.copy_bucket is None or services.directory.credential(project_id, kind) is not None:
        return
    await services.catch_up(topics.CREDENTIALS)
    if services.directory.credential(project_id, kind) is None:
        raise required_credential()


async def _archived(services: Services, project_id: str, session_id: str) -> AppSession | None:
    """The session if it is over and was archived: nobody begins it again. New ones need not wait for ClickHouse."""
    found = await glimpsed(services, project_id, session_id)
    return found if found is not None and found.state in TERMINAL else None


async def end(services: Services, project_id: str, stream_id: str) -> AppSession:
    """End a stream's session; one that is ending or over is returned as it is, or refused where that is set."""
    session = await find(services, project_id, ids.session_id(project_id, stream_id))
    if session.state not in _ENDABLE and services.settings.repeated_end == "refuse":
        raise refused(_NOT_ENDABLE.format(session.state.replace("_", " ").capitalize()))
    if session.state not in _ENDABLE:
        return session
    return await stated(
        services,
        SessionFact(session_id=session.session_id, kind=FactKind.END_REQUESTED, project_id=project_id, source=SOURCE),
    )


async def find(services: Services, project_id: str, session_id: str, kind: str = "App session") -> AppSession:
    """A session of the project. Raises ApiError 404, only when it certainly did not exist when asked, and 503."""
    session = await known(services, project_id, session_id)
    if session is None:
        raise not_found(f"{kind} not found")
    return session


async def known(services: Services, project_id: str, session_id: str) -> AppSession | None:
    """A session of the project, live or archived; None only if it certainly did not exist when asked.

    What is archived can be told while Kafka is away, but not that there is nothing. Raises ApiError 503.
    """
    session = services.sessions.get(project_id, session_id)
    if session is None:
        await services.refresh(topics.APP_SESSIONS)
        session = services.sessions.get(project_id, session_id) or await archived(services, project_id, session_id)
    if session is None:
        await services.catch_up(topics.APP_SESSIONS)
        session = services.sessions.get(project_id, session_id)
    return session


async def as_of_now(services: Services, session: AppSession) -> AppSession:
    """The session with all that others may have been told of it by now: "not in this state" is as definite an answer
    as "not found". Raises ApiError 503.
    """
    await services.catch_up(topics.APP_SESSIONS)
    return services.sessions.get(session.project_id, session.session_id) or session


def requested(
    project_id: str, session_id: str, order: SessionOrder, zoom_app_id: str, source: str = SOURCE
) -> SessionFact:
    """The fact that asks for a session."""
    stream, wishes = order.stream, order.wishes
    return SessionFact(
        session_id=session_id,
        kind=FactKind.REQUESTED,
        project_id=project_id,
        source=source,
        request=StreamRequest(
            product=stream.product,
            meeting_id=stream.meeting_id,
            stream_id=stream.stream_id,
            server_urls=stream.server_urls,
            operator_id=stream.operator_id,
            zoom_app_id=zoom_app_id,
        ),
        settings=session_settings.dumps(wishes.settings),
        metadata=wishes.metadata,
        webhooks=wishes.webhooks,
        deduplication_key=wishes.deduplication_key,
        given=wishes.given,
    )


def chosen(apps: Sequence[ZoomApp], named: str | None) -> ZoomApp:
    """The app that a stream was announced to: the one that is named, or the only one. Raises ApiError 400."""
    if named is not None:
        matching = [app for app in apps if named in (app.zoom_app_id, app.client_id)]
        if not matching:
            raise refused("This project has no Zoom app with that id or client id.")
        return matching[0]
    if not apps:
        raise refused(
            "This project has no Zoom app, so nobody can join its streams. "
            "Add one first: POST /api/v1/projects/{id}/zoom_apps with client_id and client_secret."
        )
    if len(apps) > 1:
        raise refused("This project has several Zoom apps. Say which one the stream is for in zoom_app_id.")
    return apps[0]


async def _zoom_app(services: Services, project_id: str, named: str | None) -> ZoomApp:
    apps = services.directory.zoom_apps(project_id)
    if len(apps) != 1 or (named is not None and named not in (apps[0].zoom_app_id, apps[0].client_id)):
        await services.catch_up(topics.ZOOM_APPS)
        apps = services.directory.zoom_apps(project_id)
    return chosen(apps, named)


async def stated(services: Services, fact: SessionFact) -> AppSession:
    """Append a fact and wait until it is folded; the state that it led to. Raises ApiError 503."""
    position = await services.journal.state(fact)
    session = await services.sessions.folded(fact.session_id, position.offset, services.settings.fold_timeout_s)
    if session is None:
        raise unavailable("The request is recorded but not carried out yet. Try again.")
    return session
