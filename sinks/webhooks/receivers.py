"""Who is told of a session's news: its own webhooks if it has any, else its project's subscriptions. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas import embedded_json, ids
from schemas.records import AppSession, WebhookSubscription

SUBSCRIPTION_PREFIX = "webhook_"


class Receiver(NamedTuple):
    """Where to tell it."""

    subscription_id: str
    url: str


def receivers(
    session: AppSession, subscriptions: Iterable[WebhookSubscription], trigger: str, at_ms: int
) -> Sequence[Receiver]:
    """Who is told what happened at `at_ms`; a subscription hears of nothing that was before it."""
    if own := own_webhooks(session):
        return [Receiver(own_id(session.session_id, url), url) for url, triggers in own if trigger in triggers]
    return [
        Receiver(entry.subscription_id, entry.url)
        for entry in subscriptions
        if entry.is_active and trigger in entry.triggers and entry.created_at_ms <= at_ms
    ]


def own_webhooks(session: AppSession) -> list[tuple[str, frozenset[str]]]:
    """(url, triggers) of the session's own webhooks."""
    found = embedded_json.read(session.webhooks)
    if not isinstance(found, list):
        return []
    return [(str(entry["url"]), frozenset(entry["triggers"])) for entry in found]


def own_id(session_id: str, url: str) -> str:
    """What stands for a session's own webhook where subscriptions are named."""
    return ids.derived(SUBSCRIPTION_PREFIX, session_id, url)
