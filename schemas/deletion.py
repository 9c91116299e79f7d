"""A session's data is to be gone: who has to erase what, how far that is, and what may be left of a record. Pure.

Erased is what lies in stores and on compacted topics, each part by the sink that writes it; what is on other topics
goes by their retention. A sink states how much it found (`data_found`) before it erases, so that a sink that is killed
in between still leaves a true count, and `data_erased` when it is gone. Each may be stated any number of times.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from schemas.records import (
    AppSession,
    Deletion,
    DeliveryStatus,
    ErasedPart,
    FactKind,
    OutputKind,
    ParticipantEvent,
    Record,
    SessionFact,
    Stored,
    Utterance,
    WebhookDelivery,
    WebhookNotice,
)
from schemas.triggers import Trigger

ASKED = "asked"
"""A client asked for it."""

CONSENT_REVOKED = "consent_revoked"
"""Zoom demands it: somebody took back the consent."""

RETENTION = "retention"
"""It has been kept for as long as it was to be."""

NO_BODY = "{}"

KEPT_TRIGGERS = (Trigger.STATE_CHANGE, Trigger.RECORDING, Trigger.ASYNC_TRANSCRIPTION)
"""What receivers are told that is no content: that a session changed its state stays known."""

NOTHING_MS, EVERYTHING_MS = -1, 2**62
"""What was said up to then: nothing, all of it. Zoom's times lie between."""


class Part(StrEnum):
    """What is erased: `objects` by the objects sink, `rows` and the `records` of compacted topics by ClickHouse's."""

    OBJECTS = "objects"
    ROWS = "rows"
    RECORDS = "records"


def objects_part(sink: str) -> str:
    """What an objects sink erases: each of several, told apart by a name of its own, stores somewhere else."""
    return f"{Part.OBJECTS}.{sink}" if sink else Part.OBJECTS


def _is_known(part: str) -> bool:
    return part in frozenset(Part) or part.startswith(f"{Part.OBJECTS}.")


OF_TRANSCRIPT = (Part.ROWS, Part.RECORDS)
"""What there is of a transcript; no object holds any of it."""


def said_until_ms(session: AppSession) -> int:
    """What began to be said up to then, by Zoom's clock, is deleted. A replay writes it with the same times."""
    if session.deletion is not None:
        return EVERYTHING_MS
    if session.transcript_deletion is None:
        return NOTHING_MS
    until_ms = session.transcript_deletion.until_ms
    return EVERYTHING_MS if until_ms is None else until_ms


def is_said(record: Record, until_ms: int) -> bool:
    """Whether it tells what was said up to then."""
    if isinstance(record, Utterance):
        return record.kind is OutputKind.ITEM and record.start_ms <= until_ms
    if isinstance(record, WebhookNotice | WebhookDelivery):
        return record.trigger == Trigger.TRANSCRIPT and _told_ms(record.body) <= until_ms
    return False


def _told_ms(body: str) -> int:
    """When what a body tells began to be said; of one that is emptied or unreadable, before anything else."""
    try:
        at_ms = json.loads(body)["data"]["timestamp_ms"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return NOTHING_MS
    return at_ms if isinstance(at_ms, int) else NOTHING_MS


def covers(session: AppSession, record: Record) -> bool:
    """Whether a record of the session is deleted, or tells something that is."""
    if session.deletion is not None:
        return is_content(record)
    return session.transcript_deletion is not None and is_said(record, said_until_ms(session))


def is_content(record: Record) -> bool:
    """Whether it tells what was said or who was there; that a session changed its state stays known."""
    if isinstance(record, WebhookNotice | WebhookDelivery):
        return record.trigger not in KEPT_TRIGGERS
    return isinstance(record, Utterance | ParticipantEvent)


def emptied(delivery: WebhookDelivery) -> WebhookDelivery:
    """What is left of a delivery: that it was there, because numbers are not given twice."""
    status = DeliveryStatus.FAILED if delivery.status is DeliveryStatus.PENDING else delivery.status
    attempts = tuple(replace(attempt, excerpt="") for attempt in delivery.attempts)
    return replace(delivery, body=NO_BODY, status=status, attempts=attempts)


def left_of(record: Record) -> Record | None:
    """What may be left on its topic of a content record; None: nothing, a tombstone."""
    return emptied(record) if isinstance(record, WebhookDelivery) else None


def missing(deletion: Deletion, parts: Iterable[str] = tuple(Part)) -> frozenset[str]:
    """What of these parts, and of all that something was found of, is not erased yet."""
    known = {part.part: part.erased_at_ms for part in deletion.parts}
    return frozenset(part for part in {*parts, *known} if known.get(part) is None)


def folded(deletion: Deletion, fact: SessionFact, at_ms: int) -> Deletion:
    """After a `data_found` or `data_erased`. The most that was found counts: less is what another try found left."""
    if fact.part is None or not _is_known(fact.part):
        return deletion  # a newer release's
    parts = {part.part: part for part in deletion.parts}
    known = parts.get(fact.part, ErasedPart(part=fact.part, count=0))
    found = fact.stored or Stored()
    erased_at_ms = at_ms if fact.kind is FactKind.DATA_ERASED and known.erased_at_ms is None else known.erased_at_ms
    parts[fact.part] = replace(
        known,
        count=max(known.count, found.count),
        size_bytes=max(known.size_bytes, found.size_bytes),
        erased_at_ms=erased_at_ms,
    )
    return replace(deletion, parts=tuple(parts[part] for part in sorted(parts)))


def found(session_id: str, part: str, source: str, amount: Stored) -> SessionFact:
    """The fact to state before erasing; of a transcript alone it needs `as_of_ms`, when that was asked for."""
    return SessionFact(session_id=session_id, kind=FactKind.DATA_FOUND, source=source, part=part, stored=amount)


def erased(session_id: str, part: str, source: str) -> SessionFact:
    """The fact to state when it is gone; of a transcript alone it needs `as_of_ms`, when that was asked for."""
    return SessionFact(session_id=session_id, kind=FactKind.DATA_ERASED, source=source, part=part)


def erasing(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """How far it is with all data, or with the transcript alone: then with the deletion that is meant, and no other."""
    of_transcript = state.transcript_deletion
    if fact.as_of_ms is not None:
        if of_transcript is None or of_transcript.asked_at_ms != fact.as_of_ms:
            return state
        return replace(state, transcript_deletion=folded(of_transcript, fact, at_ms))
    if state.deletion is None:
        return state
    if of_transcript is not None and fact.kind is FactKind.DATA_ERASED and fact.part in OF_TRANSCRIPT:
        of_transcript = folded(of_transcript, replace(fact, stored=None), at_ms)  # gone with all the rest
    return replace(state, deletion=folded(state.deletion, fact, at_ms), transcript_deletion=of_transcript)
