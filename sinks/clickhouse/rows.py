"""A record of a topic as a row of a table. Pure.

Every row carries the partition and offset it came from: the offset is its version, so writing a record again changes
nothing and a later record of the same id wins; of an utterance, one of a higher revision. What no column can hold is
refused here, because one such row would hold up its whole partition for ever.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas import clickhouse
from schemas.archiving import as_document
from schemas.clickhouse import Table
from schemas.records import AppSession, ParticipantEvent, Record, Utterance, WebhookDelivery
from schemas.row_documents import delivery_document, words_document

Row = Mapping[str, Any]

# The time range of DateTime64, by which tables are partitioned.
_TIMES_MS = range(0, 4_102_444_800_000)
_REVISIONS = range(0, 2**32)


class Position(NamedTuple):
    """Where a record stands, and when it got there."""

    partition: int
    offset: int
    appended_ms: int


class Unfit(ValueError):
    """The record is well formed, but no row can be made of it; `reason` holds nothing of its content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def row_of(value: Record, at: Position) -> tuple[Table, Row]:
    """The table and the row of an item. Raises Unfit."""
    position = {"_partition": at.partition, "_offset": at.offset}
    if isinstance(value, Utterance):
        position["_offset"] = clickhouse.version(value.revision, at.offset)
        return clickhouse.UTTERANCES, _utterance(value, at.appended_ms) | position
    if isinstance(value, ParticipantEvent):
        return clickhouse.PARTICIPANT_EVENTS, _participant_event(value, at.appended_ms) | position
    if isinstance(value, AppSession):
        return clickhouse.APP_SESSIONS, _app_session(value) | position
    if isinstance(value, WebhookDelivery):
        return clickhouse.WEBHOOK_DELIVERIES, _webhook_delivery(value) | position
    raise Unfit(f"no table for {type(value).__name__}")


def _utterance(utterance: Utterance, appended_ms: int) -> dict[str, Any]:
    _check(utterance.start_ms in _TIMES_MS and utterance.end_ms in _TIMES_MS, "time out of range")
    _check(utterance.revision in _REVISIONS, "revision out of range")
    return {
        "session_id": utterance.session_id,
        "engine": utterance.engine,
        "start_ms": utterance.start_ms,
        "utterance_id": utterance.utterance_id,
        "end_ms": utterance.end_ms,
        "revision": utterance.revision,
        "status": str(utterance.status),
        "participant_id": utterance.participant_id,
        "participant_name": utterance.participant_name,
        "language": utterance.language,
        "text": utterance.text,
        "reason": utterance.reason,
        "recognised_by": utterance.recognised_by,
        "model": utterance.model,
        "words": words_document(utterance.words),
        "updated_at_ms": appended_ms,
        "withdraws": utterance.withdraws,
    }


def _participant_event(event: ParticipantEvent, appended_ms: int) -> dict[str, Any]:
    _check(event.timestamp_ms in _TIMES_MS, "time out of range")
    return {
        "session_id": event.session_id,
        "timestamp_ms": event.timestamp_ms,
        "event_id": event.event_id,
        "event": event.event,
        "participant_id": event.participant_id,
        "participant_name": event.participant_name,
        "details": event.details,
        "created_at_ms": appended_ms,
    }


def _app_session(session: AppSession) -> dict[str, Any]:
    _check(session.created_at_ms in _TIMES_MS, "time out of range")
    return {
        "project_id": session.project_id,
        "created_at_ms": session.created_at_ms,
        "session_id": session.session_id,
        "state": session.state,
        "document": as_document(session),
    }


def _webhook_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    _check(delivery.created_at_ms in _TIMES_MS, "time out of range")
    return {
        "project_id": delivery.project_id,
        "created_at_ms": delivery.created_at_ms,
        "delivery_id": delivery.delivery_id,
        "session_id": delivery.session_id,
        "subscription_id": delivery.subscription_id,
        "trigger": delivery.trigger,
        "status": str(delivery.status),
        "document": delivery_document(delivery),
    }


def _check(holds: bool, reason: str) -> None:
    if not holds:
        raise Unfit(reason)
