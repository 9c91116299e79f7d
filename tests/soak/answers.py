"""What the API says of a session in the end, held against what an undisturbed run yields. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas import ids
from schemas.participant_events import PRESENCE
from schemas.records import ParticipantEvent, Utterance, UtteranceStatus
from schemas.sessions import Progress
from tests.soak.expected import CHANGES, Expected

Document = Mapping[str, Any]

WHOLE = {
    "state": "ended",
    "recording_state": "complete",
    "transcription_state": "complete",
    "holes": [],
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything there is to read of a session; `transcripts` by engine or side transcript, `events` from all pages,
    `tracks` the files beside the recording."""

    session: Document
    transcripts: Mapping[str, Sequence[Document]]
    events: Sequence[Document]
    recording: bytes
    tracks: Mapping[str, bytes]


def differences(expected: Expected, found: Answers) -> list[str]:
    """In one line each."""
    session_id = str(found.session["id"])
    steps = [step["type"] for step in found.session["events"]]
    lines = [f"{name} is {found.session[name]!r}" for name, value in WHOLE.items() if found.session[name] != value]
    if steps != [event for event, _, _ in CHANGES]:
        lines.append(f"the history is {steps}")
    lines += _failures(expected, found.session)
    lines += _sides(expected, found.session["async_transcriptions"])
    for engine in (*expected.engines, *expected.sides):
        documents, wanted = found.transcripts[engine], _transcript(session_id, engine, expected)
        if [certain(one, engine in expected.live) for one in documents] != [
            certain(one, engine in expected.live) for one in wanted
        ]:
            lines.append(f"the transcript by {engine} differs ({len(documents)} utterances)")
    if list(found.events) != _events(session_id, expected.events):
        lines.append(f"the participant events differ ({len(found.events)})")
    movie = expected.stored.movie
    if found.recording != movie:
        lines.append(f"the download differs ({len(found.recording)} bytes instead of {len(movie)})")
    tracks = expected.stored.tracks()
    unlike = sorted(name for name in tracks.keys() | found.tracks.keys() if tracks.get(name) != found.tracks.get(name))
    lines += [f"the track {name} differs" for name in unlike]
    return [f"the API: {line}" for line in lines]


def certain(utterance: Document, is_live: bool) -> Document:
    """What of a document is the same whenever it is read: of what was heard live not the words."""
    return {name: value for name, value in utterance.items() if not is_live or name not in ("transcription", "model")}


def _failures(expected: Expected, session: Document) -> list[str]:
    """What there is not of the session: said of it, and by the event with which it ended."""
    metadata: Document = next(
        (step.get("event_metadata", {}) for step in session["events"] if step["type"] == CHANGES[-1][0]), {}
    )
    told = (session["failures"], metadata.get("failures", []))
    return [] if told == (list(expected.failures),) * 2 else [f"its failures are told as {told}"]


def _sides(expected: Expected, found: Sequence[Document]) -> list[str]:
    told = [(one["id"], one["state"], one["failure_data"]) for one in found]
    if told == [(side, Progress.COMPLETE, None) for side in expected.sides]:
        return []
    return [f"the side transcripts are {told}"]


def _transcript(session_id: str, engine: str, expected: Expected) -> list[Document]:
    shown = [
        item
        for item in expected.newest()
        if item.status is UtteranceStatus.FINAL and item.text and item.engine == engine
    ]
    names = _names(expected.events) if engine in expected.sides else {}
    return [
        {
            "id": item.utterance_id,
            "engine": item.engine,
            "recognised_by": item.recognised_by or item.engine,
            "model": item.model,
            "language": item.language,
            "speaker_name": names.get(item.participant_id, item.participant_name),
            "speaker_uuid": ids.participant_uuid(session_id, item.participant_id),
            "speaker_user_uuid": None,
            "speaker_is_host": False,
            "timestamp_ms": item.start_ms,
            "duration_ms": item.end_ms - item.start_ms,
            "transcription": _transcription(item),
        }
        for item in sorted(shown, key=lambda item: (item.start_ms, item.utterance_id))
    ]


def _names(events: Iterable[ParticipantEvent]) -> dict[int, str]:
    """The last one of each participant; stored sound tells who it is by number alone."""
    told = sorted((item for item in events if item.event in PRESENCE), key=lambda item: item.timestamp_ms)
    return {item.participant_id: item.participant_name for item in told if item.participant_name is not None}


def _transcription(item: Utterance) -> Document:
    words = [
        {"word": one.word, "start": (one.start_ms - item.start_ms) / 1000, "end": (one.end_ms - item.start_ms) / 1000}
        for one in item.words
    ]
    return {"transcript": item.text, **({"words": words} if words else {})}


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
