"""Zoom's webhooks, one address per Zoom app: no relay is needed.

Answered once Kafka has what follows from them, so that Zoom asks again (it does on anything but a 2xx) if it has not.
Duplicates and any order are harmless: everything is stated about a session whose id is derived from the stream.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.answers import answers, json_body
from api.bodies import parsed, read_bytes
from api.errors import ApiError, not_found, unauthenticated
from api.services import Here, Services
from api.zoom import streams
from api.zoom.metrics import TOLD
from connectors.host.logs import get_logger
from connectors.host.secrets import SecretsError
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.fields import mapping, text
from connectors.rtms.protocol.signature import url_validation_answer, verify_webhook
from connectors.rtms.protocol.webhooks import LIMIT_EVENTS, URL_VALIDATION, read_stream_webhook
from schemas import topics
from schemas.records import ZoomApp

log = get_logger(__name__)

router = APIRouter(prefix="/zoom", tags=["Zoom"])

_SCHEMA = {"type": "object", "properties": {"event": {"type": "string"}, "payload": {"type": "object"}}}
_EXAMPLE = {
    "event": "meeting.rtms_started",
    "event_ts": 1700000000000,
    "payload": {
        "meeting_uuid": "4444AAAiAAAAAiAiAiiAii==",
        "rtms_stream_id": "609340fb2a7946909659956c8aa9250c",
        "server_urls": "wss://rtms-sjc1.zoom.us:443",
    },
}


@router.post(
    "/{zoom_app_id}",
    responses=answers(400, 401, 404, 413, 503),
    openapi_extra=json_body(_SCHEMA, started=_EXAMPLE),
)
async def take_zooms_webhook(request: Request, zoom_app_id: str, services: Here) -> JSONResponse:
    """What to enter at Zoom as the app's event notification URL. The signature is checked over the raw body."""
    app = await _app(services, zoom_app_id)
    body = await read_bytes(request, services.settings.max_body_bytes)
    secret = _secret(services, app)
    if not _is_genuine(request, secret, body, services.clock.now_ms() / 1000):
        raise unauthenticated("This is not signed by Zoom with the app's secret token, or too old.")
    document = mapping(parsed(body))
    if document.get("event") == URL_VALIDATION:
        plain = text(mapping(document.get("payload")).get("plainToken")) or ""
        return JSONResponse(url_validation_answer(secret, plain))
    return JSONResponse({"outcome": await _told(services, app, document)})


async def _told(services: Services, app: ZoomApp, document: Any) -> str:
    """Do what follows; a word for it. What asking again cannot change is no error."""
    event = str(document.get("event"))
    if event in LIMIT_EVENTS:
        log.warning("Zoom limits the app's streams", zoom_app_id=app.zoom_app_id, zoom_event=event)
        TOLD.labels(event, "noted").inc()
        return "noted"
    try:
        news = read_stream_webhook(document)
    except Unusable as error:
        log.warning("unusable webhook", zoom_app_id=app.zoom_app_id, reason=error.reason)
        TOLD.labels("stream", "unusable").inc()
        return "unusable"
    outcome = "ignored" if news is None else await streams.follow(services, app, news)
    TOLD.labels("other" if news is None else str(news.kind), outcome).inc()
    return outcome


async def _app(services: Services, zoom_app_id: str) -> ZoomApp:
    app = services.directory.zoom_app(zoom_app_id)
    if app is None:
        await services.catch_up(topics.ZOOM_APPS)
        app = services.directory.zoom_app(zoom_app_id)
    if app is None or app.webhook_secret_encrypted is None:
        raise not_found("Not found")
    return app


def _secret(services: Services, app: ZoomApp) -> str:
    try:
        return services.key_ring.decrypt(app.webhook_secret_encrypted or "")
    except SecretsError:
        log.error("webhook secret unreadable", zoom_app_id=app.zoom_app_id)
        raise ApiError(503, {"error": "The app's secret cannot be read here."}) from None


def _is_genuine(request: Request, secret: str, body: bytes, now_s: float) -> bool:
    timestamp = request.headers.get("x-zm-request-timestamp", "")
    return verify_webhook(secret, timestamp, body, request.headers.get("x-zm-signature", ""), now_s)
