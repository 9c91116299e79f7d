"""Meetings as the events topic tells them: joins, leaves, reconnects that announce everybody again, an end."""

import random
from collections.abc import Iterable

from schemas.records import Begin, Event, MediaRecord, RecordKind


def events(rng: random.Random, session_id: str, steps: int) -> list[MediaRecord]:
    """The events topic of one session in log order, epochs 5, 9, …"""
    return list(_events(rng, session_id, steps))


def _events(rng: random.Random, session_id: str, steps: int) -> Iterable[MediaRecord]:
    present: dict[int, str] = {}
    epoch, sequence, now_ms = 5, 0, 1_700_000_000_000
    yield record(session_id, RecordKind.BEGIN, epoch, sequence, now_ms)
    for step in range(steps):
        now_ms += rng.randrange(200, 3000)
        sequence += 1
        action = rng.random()
        if action < 0.1 and step:
            epoch, sequence, now_ms = epoch + 4, 0, now_ms + 3000
            yield record(session_id, RecordKind.BEGIN, epoch, sequence, now_ms)
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
        elif action < 0.85:
            who = rng.choice(sorted(present))
            yield event(session_id, epoch, sequence, now_ms, "active_speaker_changed", who, present[who])
        else:
            yield record(session_id, RecordKind.TICK, epoch, sequence, now_ms)
    yield record(session_id, RecordKind.END, epoch, sequence + 1, now_ms)


def record(session_id: str, kind: RecordKind, epoch: int, sequence: int, at_ms: int) -> Event:
    begin = Begin("worker", "{}", "{}") if kind is RecordKind.BEGIN else None
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
