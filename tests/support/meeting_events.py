"""Meetings as the events and chat topics tell them: who comes, goes, speaks and writes, reconnects, an end."""

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from connectors.rtms.protocol.codes import StreamState
from processors.participants.application import participant_event
from processors.participants.logic import ParticipantsLogic
from processors.participants.roster import STREAM_STATE
from schemas.records import Begin, Chat, Event, MediaRecord, ParticipantEvent, RecordKind
from schemas.topics import CHAT, EVENTS

SPEECH = '{"speech_events": true}'


def meeting(rng: random.Random, session_id: str, steps: int) -> dict[str, list[MediaRecord]]:
    """Both topics of one session, each in log order."""
    return {EVENTS.name: events(rng, session_id, steps), CHAT.name: list(_chat(rng, session_id, steps))}


def events(rng: random.Random, session_id: str, steps: int) -> list[MediaRecord]:
    """The events topic of one session in log order, epochs 5, 9, …"""
    return list(_events(rng, session_id, steps))


def _events(rng: random.Random, session_id: str, steps: int) -> Iterable[MediaRecord]:
    present: dict[int, str] = {}
    epoch, sequence, now_ms = 5, 0, 1_700_000_000_000
    yield record(session_id, RecordKind.BEGIN, epoch, sequence, now_ms, SPEECH)
    for step in range(steps):
        now_ms += rng.randrange(200, 3000)
        sequence += 1
        action = rng.random()
        if action < 0.1 and step:
            epoch, sequence, now_ms = epoch + 4, 0, now_ms + 3000
            yield record(session_id, RecordKind.BEGIN, epoch, sequence, now_ms, SPEECH)
            present = {who: name for who, name in present.items() if rng.random() < 0.8}
            for who, name in present.items():
                sequence += 1
                yield event(session_id, epoch, sequence, now_ms + sequence, "participant_joined", who, name)
        elif action < 0.5 or not present:
            who = 16778240 + len(present) + step * 7
            present[who] = f"Participant {who}"
            yield event(session_id, epoch, sequence, now_ms, "participant_joined", who, present[who])
        elif action < 0.7:
            who = rng.choice(sorted(present))
            del present[who]
            yield event(session_id, epoch, sequence, now_ms, "participant_left", who, None)
        elif action < 0.75:
            code = rng.choice((StreamState.PAUSED, StreamState.RESUMED))
            yield replace(event(session_id, epoch, sequence, now_ms, STREAM_STATE, 0, None), code=code)
        elif action < 0.85:
            who = rng.choice(sorted(present))
            yield event(session_id, epoch, sequence, now_ms, "active_speaker_changed", who, present[who])
        else:
            yield record(session_id, RecordKind.TICK, epoch, sequence, now_ms)
    yield record(session_id, RecordKind.END, epoch, sequence + 1, now_ms)


def _chat(rng: random.Random, session_id: str, steps: int) -> Iterable[MediaRecord]:
    """Messages, changed, deleted and announced again, also by a later epoch; some from before the meeting."""
    written: list[Chat] = []
    epoch, sequence, now_ms = 5, 0, 1_700_000_000_000
    yield chat_control(session_id, RecordKind.BEGIN, epoch, sequence, now_ms)
    for step in range(steps):
        now_ms += rng.randrange(200, 3000)
        sequence += 1
        action = rng.random()
        if action < 0.1:
            epoch, sequence, now_ms = epoch + 4, 0, now_ms + 3000
            yield chat_control(session_id, RecordKind.BEGIN, epoch, sequence, now_ms)
        elif action < 0.2 and written:
            old = rng.choice(written)
            message, text, at_ms = old.message_id, old.text, old.timestamp_ms
            yield chat(session_id, epoch, sequence, at_ms, message, text, old.operation)
        elif action < 0.4:
            yield chat_control(session_id, RecordKind.TICK, epoch, sequence, now_ms)
        else:
            operation = rng.choice(("new", "new", "update", "delete", "add_reaction"))
            message = f"m{rng.randrange(steps)}" if rng.random() < 0.9 else ""
            written.append(chat(session_id, epoch, sequence, now_ms, message, f"text {step}", operation))
            yield written[-1]
    yield chat_control(session_id, RecordKind.END, epoch, sequence + 1, now_ms)


def chat_control(session_id: str, kind: RecordKind, epoch: int, sequence: int, at_ms: int) -> Chat:
    begin = Begin("worker", "{}", "{}") if kind is RecordKind.BEGIN else None
    return Chat(
        session_id=session_id, kind=kind, epoch=epoch, begin=begin, sequence=sequence, timestamp_ms=at_ms, arrived_us=0
    )


def chat(
    session_id: str, epoch: int, sequence: int, at_ms: int, message: str, text: str, operation: str = "new",
    **details: Any,
) -> Chat:  # fmt: skip
    return Chat(
        session_id=session_id,
        kind=RecordKind.FRAME,
        epoch=epoch,
        sequence=sequence,
        timestamp_ms=at_ms,
        arrived_us=0,
        participant_id=10,
        participant_name="P10",
        message_id=message,
        operation=operation,
        text=text,
        details=json.dumps(details),
    )


def told_of(session_id: str, topic: str, records: Iterable[MediaRecord]) -> list[ParticipantEvent]:
    """What the participants processor writes of a session's records of one topic."""
    part, told = None, []
    for one in records:
        observed = ParticipantsLogic().observe(topic, part, one)
        part, told = observed.part, told + [participant_event(session_id, work) for work in observed.works]
    return told


def record(session_id: str, kind: RecordKind, epoch: int, sequence: int, at_ms: int, settings: str = "{}") -> Event:
    begin = Begin("worker", settings, "{}") if kind is RecordKind.BEGIN else None
    return Event(
        session_id=session_id, kind=kind, epoch=epoch, begin=begin, sequence=sequence, timestamp_ms=at_ms, arrived_us=0
    )


def event(
    session_id: str, epoch: int, sequence: int, at_ms: int, name: str, participant_id: int, person: str | None
) -> Event:
    return Event(
        session_id=session_id,
        kind=RecordKind.FRAME,
        epoch=epoch,
        sequence=sequence,
        timestamp_ms=at_ms,
        arrived_us=0,
        participant_id=participant_id,
        participant_name=person,
        event=name,
    )
