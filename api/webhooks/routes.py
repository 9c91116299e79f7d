"""A project's webhooks over REST, for whoever may manage the project."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.access import ManagedProject
from api.answers import READING, WRITING, answers, json_body
from api.bodies import read_json
from api.services import Here
from api.webhooks import commands, requests
from api.webhooks.requests import PingDocument, SecretWebhookDocument, WebhookDocument, WebhookList
from schemas import topics
from schemas.records import WebhookSubscription

router = APIRouter(prefix="/api/v1/webhooks", tags=["Webhooks"])


async def _current(webhook_id: str, project_id: ManagedProject, services: Here) -> WebhookSubscription:
    return await commands.find(services, project_id, webhook_id)


Current = Annotated[WebhookSubscription, Depends(_current)]


@router.post(
    "",
    status_code=201,
    responses=WRITING,
    openapi_extra=json_body(requests.CREATE_SCHEMA, state_and_words=requests.EXAMPLE),
)
async def create_webhook(request: Request, project_id: ManagedProject, services: Here) -> SecretWebhookDocument:
    """Tell an address of what happens from now on in all sessions that name no receivers of their own.

    The answer has the secret that its deliveries are signed with; it is shown this once.
    """
    given = requests.creation(await read_json(request, services.settings.max_body_bytes), services.targets)
    return requests.with_secret(*await commands.create(services, project_id, given))


@router.get("", responses=answers(401, 403, 503))
async def list_webhooks(project_id: ManagedProject, services: Here) -> WebhookList:
    """The project's subscriptions, oldest first."""
    await services.catch_up(topics.WEBHOOK_SUBSCRIPTIONS)
    known = services.directory.subscriptions(project_id)
    return {"results": [requests.document(subscription) for subscription in known]}


@router.get("/{webhook_id}", responses=READING)
async def get_webhook(webhook: Current) -> WebhookDocument:
    """A subscription; `disabled_reason` says why it was switched off by itself."""
    return requests.document(webhook)


@router.patch(
    "/{webhook_id}",
    responses=WRITING | answers(404),
    openapi_extra=json_body(requests.CHANGE_SCHEMA, switched_on_again={"is_active": True}),
)
async def change_webhook(request: Request, webhook: Current, services: Here) -> WebhookDocument:
    """Change its address or triggers, or switch it on or off. What is under way still goes to the old address."""
    given = requests.change(await read_json(request, services.settings.max_body_bytes), services.targets)
    return requests.document(await commands.change(services, webhook, given))


@router.delete("/{webhook_id}", status_code=204, responses=READING)
async def delete_webhook(webhook: Current, services: Here) -> Response:
    """Forget it. What is under way is still delivered, signed with the project's secret instead."""
    await commands.remove(services, webhook)
    return Response(status_code=204)


@router.post("/{webhook_id}/rotate_secret", responses=READING)
async def rotate_webhook_secret(webhook: Current, services: Here) -> SecretWebhookDocument:
    """A new secret, shown this once. The one before goes on signing beside it until you retire it."""
    return requests.with_secret(*await commands.rotate(services, webhook))


@router.post("/{webhook_id}/retire_secret", responses=READING)
async def retire_webhook_secret(webhook: Current, services: Here) -> WebhookDocument:
    """Let only the newest secret sign from now on."""
    return requests.document(await commands.retire(services, webhook))


@router.post("/{webhook_id}/ping", status_code=202, responses=READING)
async def ping_webhook(webhook: Current, services: Here) -> PingDocument:
    """Send a test with the trigger `webhook.ping`, like any delivery; list the deliveries to see what came of it."""
    return {"delivery_id": await commands.ping(services, webhook)}
