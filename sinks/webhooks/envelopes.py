"""What receivers are told: the envelope that clients of the App Session API know, made of our records. Pure."""

import uuid
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from schemas import async_transcriptions, chat_messages, deletion, embedded_json, ids
from schemas import settings as session_settings
from schemas.participant_events import CHAT, PRESENCE, SPEECH
from schemas.records import (
    AppSession,
    HistoryEntry,
    OutputKind,
    ParticipantEvent,
    Record,
    SessionChange,
    Utterance,
    UtteranceStatus,
)
from schemas.times import iso_offset
from schemas.triggers import Trigger

DELIVERY_PREFIX = "whd_"

_TRIGGER_OF = {
    **dict.fromkeys(PRESENCE, Trigger.JOIN_LEAVE),
    **dict.fromkeys(SPEECH, Trigger.SPEECH),
    **dict.fromkeys(CHAT, Trigger.CHAT),
}


class News(NamedTuple):
    """What a record says to those who subscribed to `trigger`; `item` is the derived id of what it is about."""

    trigger: Trigger
    item: str
    data: Mapping[str, Any]


def news_of(record: Record, session: AppSession) -> News | None:
    """What is to be told of a record; None for what nobody is told, and for what is deleted."""
    if isinstance(record, SessionChange):
        return News(_trigger_of(record.change), f"{record.session_id}/{record.sequence}", _change(record))
    if deletion.covers(session, record):
        return None
    if isinstance(record, Utterance) and _is_told(record, session):
        return News(Trigger.TRANSCRIPT, f"{record.utterance_id}/{record.revision}", _utterance(record))
    if isinstance(record, ParticipantEvent) and record.kind is OutputKind.ITEM and record.event in _TRIGGER_OF:
        trigger = _TRIGGER_OF[record.event]
        data = _chat_message(record) if trigger is Trigger.CHAT else _participant_event(record)
        return News(trigger, record.event_id, data)
    return None


def _trigger_of(change: HistoryEntry) -> Trigger:
    """Clients switch on the states that they know: what leads to no other state has a trigger of its own."""
    if change.event_type == async_transcriptions.CHANGED:
        return Trigger.ASYNC_TRANSCRIPTION
    return Trigger.RECORDING if change.old_state == change.new_state else Trigger.STATE_CHANGE


def envelope(news: News, session: AppSession, delivery_id: str) -> dict[str, Any]:
    """The envelope for one receiver."""
    return {
        "idempotency_key": idempotency_key(delivery_id),
        "app_session_id": session.session_id,
        "app_session_metadata": embedded_json.read(session.metadata),
        "trigger": str(news.trigger),
        "data": news.data,
    }


def delivery_id(subscription_id: str, session_id: str, news: News) -> str:
    """The id of telling one receiver one thing: neither a replay nor a record written twice tells anybody twice."""
    return ids.derived(DELIVERY_PREFIX, subscription_id, session_id, str(news.trigger), news.item)


def idempotency_key(delivery: str) -> str:
    """A delivery's id in the form of a random UUID, which is what clients expect."""
    return str(uuid.UUID(bytes=sha256(delivery.encode()).digest()[:16], version=4))


def _is_told(utterance: Utterance, session: AppSession) -> bool:
    """Only what is final, and only by the engine that answers when a reader does not say which. Without words only if
    receivers may have some, which are deleted."""
    wanted = session_settings.readable(session.settings).primary_engine
    return (
        utterance.kind is OutputKind.ITEM
        and utterance.status is UtteranceStatus.FINAL
        and utterance.engine == wanted
        and (bool(utterance.text) or utterance.withdraws)
    )


def _change(record: SessionChange) -> dict[str, Any]:
    change = record.change
    if change.event_type == async_transcriptions.CHANGED:
        return embedded_json.read(change.metadata) or {}
    return {
        "event_type": change.event_type,
        "event_sub_type": change.sub_type,
        "event_metadata": embedded_json.read(change.metadata) or {},
        "old_state": change.old_state,
        "new_state": change.new_state,
        "created_at": iso_offset(change.created_at_ms),
    }


def _utterance(utterance: Utterance) -> dict[str, Any]:
    return {
        "speaker_name": utterance.participant_name,
        "speaker_uuid": ids.participant_uuid(utterance.session_id, utterance.participant_id),
        "speaker_user_uuid": None,
        "speaker_is_host": False,
        "timestamp_ms": utterance.start_ms,
        "duration_ms": max(0, utterance.end_ms - utterance.start_ms),
        "transcription": {"transcript": utterance.text},
        "is_final": True,
        "segment_id": utterance.utterance_id,
        "revision": utterance.revision,
        "engine": utterance.engine,
        "recognised_by": utterance.recognised_by or utterance.engine,
        "model": utterance.model,
        "words": [{"word": one.word, "start_ms": one.start_ms, "end_ms": one.end_ms} for one in utterance.words],
        "language": utterance.language,
    }


def _participant_event(event: ParticipantEvent) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "participant_name": event.participant_name,
        "participant_uuid": ids.participant_uuid(event.session_id, event.participant_id),
        "participant_user_uuid": None,
        "participant_is_host": False,
        "event_type": event.event,
        "event_data": embedded_json.read(event.details) or {},
        "timestamp_ms": event.timestamp_ms,
    }


def _chat_message(event: ParticipantEvent) -> dict[str, Any]:
    """Of a deleted message that it is deleted, and no words."""
    message, details = chat_messages.revised(event.event_id), chat_messages.readable(event.details)
    return {
        "id": message.message_id,
        "text": details.text,
        "timestamp_ms": event.timestamp_ms,
        "timestamp": event.timestamp_ms // 1000,
        "to": details.to,
        "sender_name": event.participant_name,
        "sender_uuid": ids.participant_uuid(event.session_id, event.participant_id),
        "sender_user_uuid": None,
        "additional_data": {**details.additional, "revision": message.revision},
    }
