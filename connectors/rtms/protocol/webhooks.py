"""Zoom's webhooks about streams, of all products and in both shapes that its documents show.

Only reading: whether a webhook is genuine is for `signature`, what follows from it for whoever received it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connectors.rtms.protocol.codes import StopReason, known
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.fields import first, integer, mapping, milliseconds, text, urls
from connectors.rtms.protocol.messages import ID_FIELDS, meeting_id_of

URL_VALIDATION = "endpoint.url_validation"
LIMIT_EVENTS = frozenset(
    {
        "meeting.rtms_concurrency_near_limit",
        "meeting.rtms_concurrency_limited",
        "rtms.concurrency_near_limit",
        "rtms.concurrency_limited",
    }
)
"""An account's limit of streams at once is near or reached; Zoom's changelogs of 2025 call them by both names."""

_MAX_TEXT = 512


class WebhookKind(StrEnum):
    STARTED = "started"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamWebhook:
    """`server_urls` comes with `started` only; `stop_reason` with `stopped` only (see `codes.StopReason`)."""

    kind: WebhookKind
    product: str
    meeting_id: str
    stream_id: str
    event_ts_ms: int | None = None
    server_urls: tuple[str, ...] = ()
    stop_reason: int | None = None
    operator_id: str | None = field(default=None, repr=False)
    account_id: str | None = field(default=None, repr=False)

    @property
    def requires_deletion(self) -> bool:
        """Zoom revoked the consent: what was recorded must be deleted at once."""
        return known(StopReason, self.stop_reason) is StopReason.STREAM_REVOKED


def read_stream_webhook(body: Any) -> StreamWebhook | None:
    """A decoded webhook body as a stream's news; None if it is about something else.

    Raises:
        Unusable: it is about a stream, but a field that it must have is missing or malformed.
    """
    envelope = mapping(body)
    name = envelope.get("event")
    if not isinstance(name, str):
        raise Unusable("no_event")
    split = _split(name)
    if split is None:
        return None
    product, kind = split
    return read_payload(product, kind, envelope.get("payload"), milliseconds(envelope.get("event_ts")))


def read_payload(product: str, kind: WebhookKind, payload: Any, event_ts_ms: int | None = None) -> StreamWebhook:
    """The `payload` of a webhook, as customers forward it by itself.

    Raises:
        Unusable: see `read_stream_webhook`.
    """
    outer = mapping(payload)
    if not outer:
        raise Unusable("no_payload")
    fields: Mapping[str, Any] = {**outer, **mapping(outer.get("object"))}
    servers = urls(fields.get("server_urls"))
    if kind is WebhookKind.STARTED and not servers:
        raise Unusable("no_server_urls")
    return StreamWebhook(
        kind=kind,
        product=product,
        meeting_id=_required(meeting_id_of(fields, product), "no_meeting_id"),
        stream_id=_required(text(fields.get("rtms_stream_id")), "no_rtms_stream_id"),
        event_ts_ms=event_ts_ms,
        server_urls=servers,
        stop_reason=integer(first(fields, "stop_reason", "reason")) if kind is WebhookKind.STOPPED else None,
        operator_id=(text(fields.get("operator_id")) or "")[:_MAX_TEXT] or None,
        account_id=text(fields.get("account_id")),
    )


def product_of_payload(payload: Any) -> str:
    """The product that a payload without its envelope speaks of, told from the key of its id."""
    outer = mapping(payload)
    fields: Mapping[str, Any] = {**outer, **mapping(outer.get("object"))}
    return next((product for product, key in ID_FIELDS.items() if fields.get(key) is not None), "meeting")


def _split(name: str) -> tuple[str, WebhookKind] | None:
    """`contact_center.voice_rtms_started` → (`contact_center`, started)."""
    prefix, _, rest = name.partition(".")
    verb = rest.removeprefix("voice_").removeprefix("rtms_")
    if prefix not in ID_FIELDS or "rtms_" not in rest or verb not in set(WebhookKind):
        return None
    return prefix, WebhookKind(verb)


def _required(value: str | None, reason: str) -> str:
    if not value or len(value) > _MAX_TEXT:
        raise Unusable(reason)
    return value
