"""Zoom's webhooks: bodies in either shape, signed over their raw bytes, sent again when nobody took them in time."""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx

from connectors.host.logs import get_logger
from connectors.rtms.protocol import codes
from connectors.rtms.protocol.codes import StopReason
from connectors.rtms.protocol.messages import ID_FIELDS
from connectors.rtms.protocol.signature import url_validation_answer, webhook_signature
from connectors.rtms.simulator.identity import Identity
from connectors.rtms.simulator.zoomclock import ZoomClock

log = get_logger(__name__)

_ANSWER_WITHIN_S = 3.0
_RETRY_AFTER_S = (1.0, 2.0, 4.0, 8.0)
"""Zoom waits minutes; nobody testing wants to."""

_CHALLENGE = "simulated-plain-token"


class Shape(StrEnum):
    """Where the fields are: directly in `payload`, or in `payload.object`."""

    FLAT = "flat"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a webhook went; status None when nobody answered."""

    event: str
    attempts: int
    status: int | None


def event_name(identity: Identity, verb: str) -> str:
    """`meeting.rtms_started` and its like; Contact Center's have a word more."""
    voice = "voice_" if identity.product == codes.CONTACT_CENTER else ""
    return f"{identity.product}.{voice}rtms_{verb}"


def started(identity: Identity, server_url: str) -> dict[str, Any]:
    """The fields of `meeting.rtms_started`, of other products without what only meetings and webinars have."""
    fields: dict[str, Any] = {ID_FIELDS[identity.product]: identity.meeting_uuid}
    if identity.product in (codes.MEETING, codes.WEBINAR):
        fields |= {"meeting_id": identity.meeting_number, "operator_id": identity.operator_id}
        fields["is_original_host"] = True
    if identity.product == codes.VIDEO_SDK:
        fields["session_key"] = "simulated-session"
    return fields | {
        "account_id": identity.account_id,
        "rtms_stream_id": identity.stream_id,
        "server_urls": server_url,
    }


def stopped(identity: Identity, reason: StopReason) -> dict[str, Any]:
    """The fields of `meeting.rtms_stopped`."""
    return interrupted(identity) | {"stop_reason": int(reason)}


def interrupted(identity: Identity) -> dict[str, Any]:
    """The fields of `meeting.rtms_interrupted`, which brings no URLs."""
    return {ID_FIELDS[identity.product]: identity.meeting_uuid, "rtms_stream_id": identity.stream_id}


def body_of(event: str, event_ts: int, fields: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """The whole webhook as JSON."""
    if shape is Shape.OBJECT:
        rest = {name: value for name, value in fields.items() if name != "account_id"}
        fields = {"account_id": fields.get("account_id", "simulated-account"), "object": rest}
    return {"event": event, "event_ts": event_ts, "payload": fields}


class Webhooks:
    """Sends them to one URL; to none when there is none."""

    def __init__(self, url: str | None, secret: str, shape: Shape, clock: ZoomClock) -> None:
        self.shape = shape
        self._url = url
        self._secret = secret
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=_ANSWER_WITHIN_S) if url else None

    async def post(self, event: str, fields: dict[str, Any], shape: Shape | None = None) -> Delivery | None:
        """Send one and again until it is taken with a 2xx or the schedule is over; None without a URL."""
        if self._client is None:
            return None
        body = json.dumps(
            body_of(event, self._clock.now_ms(), fields, shape or self.shape), separators=(",", ":")
        ).encode()
        status: int | None = None
        for attempt, pause_s in enumerate((*_RETRY_AFTER_S, None), start=1):
            status = await self._attempt(self._client, body)
            if status is not None and 200 <= status < 300:
                break
            log.warning("webhook not taken", webhook=event, attempt=attempt, status=status)
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        return Delivery(event, attempt, status)

    async def validate(self) -> bool:
        """Send the URL validation challenge, as Zoom does when an endpoint is saved; whether the answer was right."""
        if self._client is None:
            return True
        fields = {"plainToken": _CHALLENGE}
        body = json.dumps(
            {"event": "endpoint.url_validation", "event_ts": self._clock.now_ms(), "payload": fields}
        ).encode()
        try:
            answer = await self._client.post(str(self._url), content=body, headers=self._headers(body))
            right: bool = answer.json() == url_validation_answer(self._secret, _CHALLENGE)
        except (httpx.HTTPError, ValueError):
            return False
        return answer.status_code == 200 and right

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _attempt(self, client: httpx.AsyncClient, body: bytes) -> int | None:
        try:
            answer = await client.post(str(self._url), content=body, headers=self._headers(body))
        except httpx.HTTPError:
            return None
        return answer.status_code

    def _headers(self, body: bytes) -> dict[str, str]:
        timestamp = str(self._clock.now_ms() // 1000)
        return {
            "content-type": "application/json; charset=utf-8",
            "x-zm-request-timestamp": timestamp,
            "x-zm-signature": webhook_signature(self._secret, timestamp, body),
            "x-zm-trackingid": f"v=2.0;rid=SIM_{webhook_signature(self._secret, timestamp, body)[-16:]}",
        }
