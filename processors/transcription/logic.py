"""Which utterances a session has, decided from its audio and caption records alone.

Captions are utterances already, or pieces of some (`captions`). Audio of each participant is one track, cut by an
`Endpointer` that lives in the track's scratch: it hears each final chunk once and is rebuilt from the track's entries
after a crash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from processors.checkpoint.folds import FOREVER_MS, NEVER_MS, Fold, Json, Slack
from processors.checkpoint.windows import Cut, Observed, Progress, Track
from processors.sound.formats import AudioFormat
from processors.transcription.captions import Captions
from processors.transcription.endpointing import Boundary, Endpointer, Speech
from processors.transcription.pcm import is_longer
from processors.transcription.timeline import TOLERANCE_MS
from processors.transcription.works import EndWork, SpeechWork
from schemas import settings, topics
from schemas.records import Audio, Begin, Caption, MediaRecord, RecordKind
from schemas.settings import PARTIAL_ENGINES, Engine

SLACK_MS = 300
"""How far one participant's audio may lag behind another's. It is waited for at the end of every utterance."""

BELATED_MS = 1_000
"""How far a chunk may lag behind a tick: what a Zoom that is held up for a moment sends after its pong. Nobody loses
a word by it; a tick that was believed has ended the utterance before, and what comes begins another."""

MAX_CHUNK_MS = 10_000
"""A chunk is heard as a whole, again for each utterance in it. Zoom can be asked for a second."""

MAX_LANGUAGE_CHARACTERS = 35
MAX_OPTIONS_CHARACTERS = 16_384
"""More than the API takes; what is longer is none of its, and would stand in every state."""

MAX_PROJECT_CHARACTERS = 64
"""Ours have 21; a longer one is nobody's."""

GLIMPSE_MS = 600
"""Between two partials of an utterance. Each is heard from the start on, so half of it would cost twice as much."""

LIKELY_MS = 200
"""Of a pause, and the utterance before it is likely over. By then its sound is what it will be when that is certain."""

DICTATED_MS = 200
"""Between two looks at an utterance that a service hears while it is spoken: it is only sent what is new."""

NO_OPTIONS = "{}"

AUDIO = topics.AUDIO.name
CAPTIONS = topics.CAPTIONS.name

_NOTHING: Json = {"count": 0, "last": [-1, -1]}


@dataclass(slots=True)
class Scan:
    """How much of a track's entries its endpointer has heard, and how much of the open utterance was shown, or
    could not be; `step_ms` more are worth another look. `likely_ms`: how much of it there was when it was last likely
    over.

    `told_ms`: what was said of silence before the last of them came, which was no silence then.
    """

    endpointer: Endpointer
    audio: AudioFormat
    heard: int = 0
    told_ms: int = NEVER_MS
    shown_ms: int = 0
    missed_ms: int = 0
    step_ms: int = GLIMPSE_MS
    likely_ms: int = 0


class TranscriptionLogic:
    """`Logic` of the transcription processor.

    A topic's part is what its `begin` asked for ("engines", "language", "options" and "partials" if any), whose session
    it is ("project", where that is said) and, for captions, what is known of them (`Captions`) and the place of the
    last one ("last").
    """

    topics = (AUDIO, CAPTIONS)
    clocks: Mapping[str, Slack] = {AUDIO: Slack(SLACK_MS, belated_ms=BELATED_MS)}
    answers_for = (CAPTIONS,)

    def observe(self, topic: str, part: Json, record: MediaRecord) -> Observed:
        if record.begin is not None:
            part = {**(part or _NOTHING), **_asked_for(record.begin)}
        if topic != CAPTIONS or not _has(part, Engine.ZOOM) or not _is_news(part, record):
            return Observed(part)
        captions = Captions.from_json(part)
        captions.take(record)
        last = [record.epoch, record.sequence] if record.kind is RecordKind.FRAME else part["last"]
        return Observed({**part, **captions.to_json(), "last": last}, tuple(captions.works))

    def track(self, topic: str, part: Json, record: MediaRecord) -> str | None:
        is_heard = isinstance(record, Audio) and not is_longer(AudioFormat.of(record), record.payload, MAX_CHUNK_MS)
        return str(record.participant_id) if is_heard and _recognisers(part) else None

    def cut(self, track: Track, watermark_ms: int) -> Cut | int:
        if not track.entries:
            return FOREVER_MS + 1
        if (first_ms := track.entries[0].record.timestamp_ms) >= watermark_ms:
            return first_ms + 1
        scan = track.scratch
        if not isinstance(scan, Scan):
            scan = track.scratch = _scan(track)
        found = _heard(scan, track, watermark_ms) or _silent(scan, watermark_ms)
        if found is not None:
            return _cut(scan, track, found)
        wake_ms = _silence_ms(scan)
        if scan.heard < len(track.entries):
            wake_ms = min(wake_ms, track.entries[scan.heard].record.timestamp_ms + 1)
        return wake_ms

    def partials_by(self, part: Json) -> Engine | None:
        """Who tells a session of which a topic says `part` what is being said: whoever is asked first. None: nobody."""
        if part is None or not part.get("partials", False):
            return None
        first = next(iter(_recognisers(part)), None)
        return first if first in PARTIAL_ENGINES else None

    def is_glimpse_due(self, track: Track) -> bool:
        """Whether enough was said on the track since the last glimpse, or since somebody began to speak."""
        scan = track.scratch
        return (
            isinstance(scan, Scan)
            and scan.endpointer.voiced_ms - scan.shown_ms >= scan.step_ms
            and self.partials_by(track.entries[0].before.part) is not None
        )

    def is_glimpse_missed(self, track: Track) -> bool:
        """There is none although one is due: whether that is news, and not of the one that was missed before."""
        scan = track.scratch
        assert isinstance(scan, Scan)
        voiced_ms = scan.endpointer.voiced_ms
        if voiced_ms - max(scan.shown_ms, scan.missed_ms) < GLIMPSE_MS:
            return False
        scan.missed_ms = voiced_ms
        return True

    def glimpse(self, track: Track) -> SpeechWork | None:
        """What is being said on the track, as far as it is final sound. Nothing follows from it for what is cut."""
        scan = track.scratch
        assert isinstance(scan, Scan)
        scan.shown_ms = scan.endpointer.voiced_ms
        is_local = self.partials_by(track.entries[0].before.part) is Engine.MOONSHINE
        scan.step_ms = GLIMPSE_MS if is_local else DICTATED_MS
        speech = scan.endpointer.so_far()
        return None if speech is None else _work(scan, track, speech)

    def is_end_likely(self, track: Track) -> bool:
        """Whether an utterance is likely over that was not asked for as such: nothing was said since, or it went on."""
        scan = track.scratch
        return (
            isinstance(scan, Scan)
            and scan.endpointer.paused_ms >= LIKELY_MS
            and scan.likely_ms != scan.endpointer.voiced_ms
            and self.is_heard_here(track.entries[0].before.part)
        )

    def likely(self, track: Track) -> SpeechWork | None:
        """The utterance that is open, as it is cut when nobody goes on. Nothing follows from it for what is cut."""
        scan = track.scratch
        assert isinstance(scan, Scan)
        scan.likely_ms = scan.endpointer.voiced_ms
        speech = scan.endpointer.so_far()
        return None if speech is None else _work(scan, track, speech)

    def is_heard_here(self, part: Json) -> bool:
        """Whether the local recogniser is asked first, by a session of which a topic says `part`."""
        return part is not None and next(iter(_recognisers(part)), None) is Engine.MOONSHINE

    def final(self, folds: Mapping[str, Fold], progress: Mapping[str, Progress]) -> object | None:
        captions = folds[CAPTIONS].part or _NOTHING
        return EndWork(captions["count"])


def _cut(scan: Scan, track: Track, found: Boundary) -> Cut:
    work = None if found.speech is None else _work(scan, track, found.speech)
    return Cut(Progress(found.through_ms, found.keep_from_ms), work)


def _scan(track: Track) -> Scan:
    first = track.entries[0]
    assert isinstance(first.record, Audio)
    audio = AudioFormat.of(first.record)
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
        if entry.is_belated and (found := _silent(scan, entry.before.watermark_ms)):
            return found
        is_same = AudioFormat.of(record) == scan.audio
        if not is_same and not _is_again(scan, track, record):
            return scan.endpointer.stop(record.timestamp_ms)
        scan.heard += 1
        scan.told_ms = max(scan.told_ms, entry.before.watermark_ms)
        if is_same and (found := scan.endpointer.hear(record.timestamp_ms, record.payload)):
            return found
    return None


def _is_again(scan: Scan, track: Track, record: Audio) -> bool:
    """Whether a chunk of another format is of a time that was heard: what Zoom sends again after a reconnection. At the
    moment of the chunk before it a stop would keep both, and come to it again for ever."""
    if record.timestamp_ms == track.entries[scan.heard - 1].record.timestamp_ms:
        return True
    audio = AudioFormat.of(record)
    return audio.is_known and scan.endpointer.has_heard(record.timestamp_ms, audio.duration_ms(record.payload))


def _silence_ms(scan: Scan) -> int:
    """The watermark at which there is a boundary if nothing more is heard.

    A pause that ends an utterance is believed at once; where nobody speaks there is time to wait for what is belated.
    A watermark from before the last chunk came says nothing of what follows it.
    """
    patience_ms = TOLERANCE_MS if scan.endpointer.is_open else TOLERANCE_MS + BELATED_MS
    return max(scan.endpointer.due_ms + patience_ms, scan.told_ms + 1)


def _silent(scan: Scan, watermark_ms: int) -> Boundary | None:
    """The boundary that silence up to the watermark makes. Any less of it is not heard: sound may come in its place."""
    return scan.endpointer.pause(scan.endpointer.due_ms) if watermark_ms >= _silence_ms(scan) else None


def _work(scan: Scan, track: Track, speech: Speech) -> SpeechWork:
    """The utterance with the name and the settings as of its last chunk."""
    last = track.entries[0]
    for entry in track.entries[: scan.heard]:
        if entry.record.timestamp_ms <= speech.end_ms:
            last = entry
    who, asked = last.record, last.before.part
    wanted = _recognisers(asked), asked.get("options", NO_OPTIONS), asked.get("partials", False)
    project_id = asked.get("project", "")
    return SpeechWork(who.participant_id, who.participant_name, asked["language"], speech, *wanted, project_id)


def _asked_for(begin: Begin) -> dict[str, Any]:
    asked = settings.readable(begin.settings)
    engines = dict.fromkeys(str(engine) for engine in asked.engines)
    part = {"engines": list(engines), "language": asked.language[:MAX_LANGUAGE_CHARACTERS]}
    has_options = asked.engine_options != NO_OPTIONS and len(asked.engine_options) <= MAX_OPTIONS_CHARACTERS
    has_project = 0 < len(begin.project_id) <= MAX_PROJECT_CHARACTERS
    part |= {"project": begin.project_id} if has_project else {}
    part |= {"options": asked.engine_options} if has_options else {}
    flags = {"partials": asked.partials, "merges": asked.merges_captions}
    return part | {name: True for name, is_set in flags.items() if is_set}


def _is_news(part: Json, record: MediaRecord) -> bool:
    """Whether it can change what is known of captions: the same record once more does not."""
    if record.kind is RecordKind.FRAME:
        return isinstance(record, Caption) and [record.epoch, record.sequence] > part["last"]
    return record.kind is RecordKind.END or bool(part.get("merges"))


def _recognisers(part: Json) -> tuple[Engine, ...]:
    """Who is asked, in order; names that this release does not know are passed over."""
    return tuple(engine for engine in Engine if engine is not Engine.ZOOM and _has(part, engine))


def _has(part: Json, engine: Engine) -> bool:
    return part is not None and engine in part["engines"]
