"""Which utterances a session has, decided from its audio and caption records alone.

Captions are utterances already, one to one. Audio of each participant is one track, cut by an `Endpointer` that lives
in the track's scratch: it hears each final chunk once and is rebuilt from the track's entries after a crash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processors.checkpoint.folds import FOREVER_MS, Fold, Json
from processors.checkpoint.windows import Cut, Entry, Observed, Progress, Track
from processors.transcription.endpointing import Boundary, Endpointer
from processors.transcription.pcm import AudioFormat
from processors.transcription.timeline import TOLERANCE_MS
from processors.transcription.works import CaptionWork, EndWork, SpeechWork
from schemas import settings, topics
from schemas.records import Audio, Caption, MediaRecord, RecordKind
from schemas.settings import Engine, SessionSettings

SLACK_MS = 300
"""How far one participant's audio may lag behind another's. It is waited for at the end of every utterance."""

AUDIO = topics.AUDIO.name
CAPTIONS = topics.CAPTIONS.name


@dataclass(slots=True)
class Scan:
    """How much of a track's entries its endpointer has heard."""

    endpointer: Endpointer
    audio: AudioFormat
    heard: int = 0


class TranscriptionLogic:
    """`Logic` of the transcription processor.

    A topic's part is what its `begin` asked for ("engines", "language") and, for captions, how many there were
    ("count"); a track's carry is its number of utterances.
    """

    topics = (AUDIO, CAPTIONS)
    clocks: Mapping[str, int] = {AUDIO: SLACK_MS}

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        if record.begin is not None:
            return Observed({**_asked_for(record.begin.settings), "count": _count(part)})
        if topic == CAPTIONS and record.kind is RecordKind.FRAME and _has_engine(part, Engine.ZOOM):
            assert isinstance(record, Caption)
            return Observed({**part, "count": _count(part) + 1}, (CaptionWork(record),))
        return Observed(part)

    def track(self, topic: str, part: Json, record: MediaRecord) -> str | None:
        return str(record.participant_id) if _has_engine(part, Engine.MOONSHINE) else None

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        if not track.entries:
            return FOREVER_MS + 1
        scan = track.scratch
        if not isinstance(scan, Scan):
            scan = track.scratch = _scan(track)
        found = _heard(scan, track, watermark_ms) or scan.endpointer.pause(watermark_ms - TOLERANCE_MS)
        if found is not None:
            return _cut(scan, track, found)
        wake_ms = scan.endpointer.due_ms + TOLERANCE_MS
        if scan.heard < len(track.entries):
            wake_ms = min(wake_ms, track.entries[scan.heard].record.timestamp_ms + 1)
        return wake_ms

    def final(self, folds: Mapping[str, Fold], progress: Mapping[str, Progress]) -> object | None:
        return EndWork(_count(folds[CAPTIONS].part) + sum(track.carry for track in progress.values()))


def _cut(scan: Scan, track: Track, found: Boundary) -> Cut:
    count = track.progress.carry or 0
    if found.speech is None:
        return Cut(Progress(found.through_ms, found.keep_from_ms, count), None)
    return Cut(Progress(found.through_ms, found.keep_from_ms, count + 1), _work(scan, track, found))


def _scan(track: Track) -> Scan:
    first = track.entries[0]
    audio = _format(first)
    endpointer = Endpointer(audio, first.record.timestamp_ms, track.progress.through_ms)
    return Scan(endpointer, audio)


def _heard(scan: Scan, track: Track, watermark_ms: int) -> Boundary | None:
    """Let the endpointer hear what has become final; the first boundary that it finds."""
    while scan.heard < len(track.entries):
        entry = track.entries[scan.heard]
        record = entry.record
        assert isinstance(record, Audio)
        if record.timestamp_ms >= watermark_ms:
            return None
        if _format(entry) != scan.audio:
            return scan.endpointer.stop(record.timestamp_ms)
        scan.heard += 1
        if found := scan.endpointer.hear(record.timestamp_ms, record.payload):
            return found
    return None


def _work(scan: Scan, track: Track, found: Boundary) -> SpeechWork:
    """The utterance with the name and the settings as of its last chunk."""
    speech = found.speech
    assert speech is not None
    last = track.entries[0]
    for entry in track.entries[: scan.heard]:
        if entry.record.timestamp_ms <= speech.end_ms:
            last = entry
    return SpeechWork(last.record.participant_id, last.record.participant_name, last.before.part["language"], speech)


def _format(entry: Entry) -> AudioFormat:
    assert isinstance(entry.record, Audio)
    return AudioFormat(entry.record.codec, entry.record.sample_rate_hz, entry.record.channels)


def _asked_for(text: str) -> dict[str, Any]:
    try:
        asked = settings.loads(text)
    except ValueError:
        asked = SessionSettings()
    return {"engines": [str(engine) for engine in asked.engines], "language": asked.language}


def _has_engine(part: Json, engine: Engine) -> bool:
    return part is not None and engine in part["engines"]


def _count(part: Json) -> int:
    return part["count"] if part is not None else 0
