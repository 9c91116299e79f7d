"""What became of a project's deliveries over REST, and making them again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.access import ManagedProject
from api.answers import READING, WRITING, answers, json_body
from api.bodies import read_json
from api.errors import not_found, refused
from api.pages import Cursor, decoded, links, page_of
from api.services import Here, Services
from api.times import queried_ms
from api.webhooks import deliveries
from api.webhooks.commands import announce
from api.webhooks.deliveries import DeliveryDocument, DeliveryPage, ReplayDocument
from schemas.deletion import covers
from schemas.records import WebhookDelivery

router = APIRouter(prefix="/api/v1/webhook_deliveries", tags=["Webhooks"])

MOST_REPLAYED = 10_000
_NEVER_MS = 2**62


class DeliveryQuery(BaseModel):
    """Which deliveries are wanted."""

    app_session_id: str = ""
    webhook_id: str = ""
    status: str = Field(default="", description=f"one of {', '.join(deliveries.STATUSES)}")
    after: str | None = Field(default=None, description="only of what happened from this ISO 8601 time on")
    before: str | None = Field(default=None, description="only of what happened before this ISO 8601 time")
    cursor: str | None = None


@router.get("", responses=answers(400, 401, 403, 404, 503))
async def list_deliveries(
    request: Request, project_id: ManagedProject, services: Here, query: Annotated[DeliveryQuery, Query()]
) -> DeliveryPage:
    """Deliveries with their attempts, ascending in time, 25 a page. A new one is there after a moment."""
    at = decoded(query.cursor)
    asked = _asked(query.model_dump(exclude={"cursor"}))
    rows = await services.select(*deliveries.query(project_id, asked, at))
    page = page_of([deliveries.delivery_of(row) for row in rows], at, deliveries.key_of)
    following, preceding = links(request, services.settings.base_url(), page)
    results = [deliveries.document(delivery) for delivery in page.items if _is_shown(services, delivery)]
    return {"next": following, "previous": preceding, "results": results}


@router.post(
    "/replay",
    status_code=202,
    responses=WRITING,
    openapi_extra=json_body(
        deliveries.REPLAY_SCHEMA,
        an_outage={"after": "2026-01-13T10:00:00Z", "before": "2026-01-13T12:00:00Z", "status": "failed"},
    ),
)
async def replay_deliveries(request: Request, project_id: ManagedProject, services: Here) -> ReplayDocument:
    """Make all deliveries of a time again, in order: for a receiver that lost what it had."""
    asked = _asked(deliveries.replay(await read_json(request, services.settings.max_body_bytes)))
    found = await services.select(*deliveries.query(project_id, asked, Cursor(), MOST_REPLAYED + 1))
    if len(found) > MOST_REPLAYED:
        raise refused(f"That are more than {MOST_REPLAYED} deliveries. Ask for a shorter time.")
    told = [delivery for row in found if _is_told(services, delivery := deliveries.delivery_of(row))]
    for delivery in told:
        await _again(services, delivery)
    return {"replayed": len(told)}


@router.get("/{delivery_id}", responses=READING)
async def get_delivery(delivery_id: str, project_id: ManagedProject, services: Here) -> DeliveryDocument:
    """A delivery with its attempts."""
    return deliveries.document(await _find(services, project_id, delivery_id))


@router.post("/{delivery_id}/resend", status_code=202, responses=answers(400, 401, 403, 404, 503))
async def resend_delivery(delivery_id: str, project_id: ManagedProject, services: Here) -> ReplayDocument:
    """Make a delivery again, whatever became of it: same body, same idempotency key."""
    found = await _find(services, project_id, delivery_id)
    if deliveries.is_emptied(found):
        raise refused("What this delivery told is deleted.")
    await _again(services, found)
    return {"replayed": 1}


async def _find(services: Services, project_id: str, delivery_id: str) -> WebhookDelivery:
    rows = await services.select(deliveries.ONE, {"project_id": project_id, "id": delivery_id})
    found = [deliveries.delivery_of(row) for row in rows]
    if not found or not _is_shown(services, found[0]):
        raise not_found("Delivery not found")
    return found[0]


async def _again(services: Services, delivery: WebhookDelivery) -> None:
    await announce(services, deliveries.again(delivery, services.clock.now_ms()))


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("status") and given["status"] not in deliveries.STATUSES:
        raise refused(f"Unknown status. It is one of {', '.join(deliveries.STATUSES)}")
    return {
        "session_id": given.get("app_session_id", ""),
        "webhook_id": given.get("webhook_id", ""),
        "status": given.get("status", ""),
        "after_ms": queried_ms("after", given["after"]) if given.get("after") else 0,
        "before_ms": queried_ms("before", given["before"]) if given.get("before") else _NEVER_MS,
    }


def _is_shown(services: Services, delivery: WebhookDelivery) -> bool:
    """Nothing that tells what is deleted, also while it is still to be erased."""
    session = services.sessions.find(delivery.session_id)
    return session is None or not covers(session, delivery)


def _is_told(services: Services, delivery: WebhookDelivery) -> bool:
    return _is_shown(services, delivery) and not deliveries.is_emptied(delivery)
