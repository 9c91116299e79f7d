"""What the API says of a session in the end, held against what an undisturbed run yields. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas import ids
from schemas.participant_events import PRESENCE
from schemas.records import OutputKind, ParticipantEvent, Utterance, UtteranceStatus
from tests.soak.expected import CHANGES, Expected

Document = Mapping[str, Any]

WHOLE = {
    "state": "ended",
    "recording_state": "complete",
    "transcription_state": "complete",
    "failures": [],
    "holes": [],
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything there is to read of a session; `transcripts` by engine, `events` from all pages."""

    session: Document
    transcripts: Mapping[str, Sequence[Document]]
    events: Sequence[Document]
    recording: bytes


def differences(expected: Expected, found: Answers) -> list[str]:
    """In one line each."""
    session_id = str(found.session["id"])
    steps = [step["type"] for step in found.session["events"]]
    lines = [f"{name} is {found.session[name]!r}" for name, value in WHOLE.items() if found.session[name] != value]
    if steps != [event for event, _, _ in CHANGES]:
        lines.append(f"the history is {steps}")
    for engine, documents in found.transcripts.items():
        if list(documents) != _transcript(session_id, engine, expected.utterances):
            lines.append(f"the transcript by {engine} differs ({len(documents)} utterances)")
    if list(found.events) != _events(session_id, expected.events):
        lines.append(f"the participant events differ ({len(found.events)})")
    if found.recording != expected.movie:
        lines.append(f"the download differs ({len(found.recording)} bytes instead of {len(expected.movie)})")
    return [f"the API: {line}" for line in lines]


def _transcript(session_id: str, engine: str, utterances: Iterable[Utterance]) -> list[Document]:
    shown = [
        item
        for item in utterances
        if item.kind is OutputKind.ITEM and item.status is UtteranceStatus.FINAL and item.text and item.engine == engine
    ]
    return [
        {
            "id": item.utterance_id,
            "engine": item.engine,
            "recognised_by": item.recognised_by or item.engine,
            "model": item.model,
            "language": item.language,
            "speaker_name": item.participant_name,
            "speaker_uuid": ids.participant_uuid(session_id, item.participant_id),
            "speaker_user_uuid": None,
            "speaker_is_host": False,
            "timestamp_ms": item.start_ms,
            "duration_ms": item.end_ms - item.start_ms,
            "transcription": {"transcript": item.text},
        }
        for item in sorted(shown, key=lambda item: (item.start_ms, item.utterance_id))
    ]


def _events(session_id: str, events: Iterable[ParticipantEvent]) -> list[Document]:
    shown = [item for item in events if item.event in PRESENCE]
    return [
        {
            "id": item.event_id,
            "event_type": item.event,
            "event_data": json.loads(item.details),
            "participant_name": item.participant_name,
            "participant_uuid": ids.participant_uuid(session_id, item.participant_id),
            "participant_user_uuid": None,
            "participant_is_host": False,
            "timestamp_ms": item.timestamp_ms,
        }
        for item in sorted(shown, key=lambda item: (item.timestamp_ms, item.event_id))
    ]
