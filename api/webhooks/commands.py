"""A project's webhook subscriptions: made, changed, tried out, removed. Written to the log, answered once known."""

import base64
import secrets
from dataclasses import replace
from typing import Any

from api.errors import invalid_fields, not_found, refused
from api.services import Services
from api.writing import new_id, written
from schemas import ids, topics
from schemas.keys import item_key
from schemas.records import WebhookNotice, WebhookSubscription
from schemas.signing import SECRET_BYTES, canonical
from schemas.triggers import PING

PREFIX = "webhook_"
MOST = 20


async def create(services: Services, project_id: str, given: dict[str, Any]) -> tuple[WebhookSubscription, str]:
    """A new subscription and its secret. Raises ApiError 400 and 503."""
    await services.catch_up(topics.WEBHOOK_SUBSCRIPTIONS)
    _check_url(services, project_id, given["url"], None)
    if len(services.directory.subscriptions(project_id)) >= MOST:
        raise refused("You have reached the maximum number of webhooks")
    secret = new_secret()
    subscription = WebhookSubscription(
        subscription_id=new_id(PREFIX),
        project_id=project_id,
        url=given["url"],
        triggers=tuple(given["triggers"]),
        secrets_encrypted=(services.key_ring.encrypt(secret),),
        created_at_ms=services.clock.now_ms(),
    )
    await _write(services, subscription)
    return subscription, secret


async def find(services: Services, project_id: str, subscription_id: str) -> WebhookSubscription:
    """A subscription of the project. Raises ApiError 404 and 503."""
    await services.catch_up(topics.WEBHOOK_SUBSCRIPTIONS)
    found = services.directory.subscription(subscription_id)
    if found is None or found.project_id != project_id:
        raise not_found("Webhook not found")
    return found


async def change(services: Services, known: WebhookSubscription, given: dict[str, Any]) -> WebhookSubscription:
    """The subscription with another address, other triggers, or switched on or off. Raises ApiError 400 and 503."""
    if "url" in given:
        _check_url(services, known.project_id, given["url"], known.subscription_id)
    if "triggers" in given:
        given = given | {"triggers": tuple(given["triggers"])}
    reason = None if given.get("is_active") else known.disabled_reason
    changed = replace(known, **given, disabled_reason=reason)
    await _write(services, changed)
    return changed


async def rotate(services: Services, known: WebhookSubscription) -> tuple[WebhookSubscription, str]:
    """A new secret; the one before signs too, until the next call or `retire`. Raises ApiError 503."""
    secret = new_secret()
    both = (services.key_ring.encrypt(secret), *known.secrets_encrypted[:1])
    changed = replace(known, secrets_encrypted=both)
    await _write(services, changed)
    return changed, secret


async def retire(services: Services, known: WebhookSubscription) -> WebhookSubscription:
    """From now on only the newest secret signs. Raises ApiError 503."""
    changed = replace(known, secrets_encrypted=known.secrets_encrypted[:1])
    await _write(services, changed)
    return changed


async def remove(services: Services, known: WebhookSubscription) -> None:
    """Forget a subscription; what is still to be delivered to it is, unsigned by it no more. Raises ApiError 503."""
    await written(services, topics.WEBHOOK_SUBSCRIPTIONS, known.subscription_id, None)


async def ping(services: Services, known: WebhookSubscription) -> str:
    """Send a test; the id of its delivery. Raises ApiError 503."""
    delivery_id = new_id("whd_")
    envelope = {
        "idempotency_key": delivery_id,
        "app_session_id": None,
        "app_session_metadata": None,
        "trigger": PING,
        "data": {"webhook_id": known.subscription_id},
    }
    notice = WebhookNotice(
        delivery_id=delivery_id,
        session_id=known.subscription_id,
        project_id=known.project_id,
        subscription_id=known.subscription_id,
        url=known.url,
        trigger=PING,
        body=canonical(envelope),
        created_at_ms=services.clock.now_ms(),
    )
    await announce(services, notice)
    return delivery_id


async def announce(services: Services, notice: WebhookNotice) -> None:
    """Hand a notice to the webhooks sink. Raises ApiError 503."""
    partition = ids.partition_of(notice.session_id, services.journal.partitions(topics.WEBHOOK_NOTICES))
    key = item_key(notice.session_id, notice.delivery_id).decode()
    await services.journal.write(topics.WEBHOOK_NOTICES, key, notice, partition)


def new_secret() -> str:
    """What signs, in base64."""
    return base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _check_url(services: Services, project_id: str, url: str, own: str | None) -> None:
    for other in services.directory.subscriptions(project_id):
        if other.url == url and other.subscription_id != own:
            raise invalid_fields({"url": ["URL already subscribed"]})


async def _write(services: Services, subscription: WebhookSubscription) -> None:
    await written(services, topics.WEBHOOK_SUBSCRIPTIONS, subscription.subscription_id, subscription)
