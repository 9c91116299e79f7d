"""What `TranscriptionLogic` asks to be written, and how it reads as records."""

from dataclasses import dataclass

from processors.checkpoint.folds import TIMES_MS
from processors.transcription.endpointing import Speech
from processors.transcription.recogniser import Recognition, Unrecognised
from schemas import ids, topics
from schemas.languages import tag
from schemas.records import Caption, OutputKind, Utterance, UtteranceStatus
from schemas.settings import Engine

END_ITEM = "end"


@dataclass(frozen=True, slots=True)
class CaptionWork:
    """One piece of Zoom's own transcript."""

    caption: Caption


@dataclass(frozen=True, slots=True)
class SpeechWork:
    """One utterance for the local recogniser."""

    participant_id: int
    participant_name: str | None
    language: str
    speech: Speech


@dataclass(frozen=True, slots=True)
class EndWork:
    """The transcript is complete.

    `count` says how many utterances are certain to be in it: Zoom's captions. In how many of the others the recogniser
    found a word (without one they are not written) is known to nobody who must survive a crash.
    """

    count: int


def caption_utterance(caption: Caption) -> Utterance:
    """Zoom's caption as an utterance; its id is its place on the captions topic. Without a start of its own, or with
    one that is no time, it starts when it was sent."""
    start_ms = caption.start_ms if caption.start_ms and caption.start_ms in TIMES_MS else caption.timestamp_ms
    return Utterance(
        session_id=caption.session_id,
        kind=OutputKind.ITEM,
        utterance_id=ids.record_id(
            ids.UTTERANCE_PREFIX, caption.session_id, topics.CAPTIONS.name, caption.epoch, caption.sequence
        ),
        revision=1,
        status=UtteranceStatus.FINAL,
        engine=Engine.ZOOM,
        participant_id=caption.participant_id,
        participant_name=caption.participant_name,
        start_ms=start_ms,
        end_ms=max(caption.end_ms, start_ms) if caption.end_ms in TIMES_MS else start_ms,
        language=tag(caption.language),
        text=caption.text,
    )


def speech_utterance(session_id: str, work: SpeechWork, result: Recognition) -> Utterance:
    """What the recogniser made of an utterance, or why it could not."""
    track = str(work.participant_id)
    start_ms = work.speech.start_ms
    failure = result.reason if isinstance(result, Unrecognised) else None
    return Utterance(
        session_id=session_id,
        kind=OutputKind.ITEM,
        utterance_id=ids.window_id(ids.UTTERANCE_PREFIX, session_id, "utterance", Engine.MOONSHINE, track, start_ms),
        revision=1,
        status=UtteranceStatus.FAILED if failure else UtteranceStatus.FINAL,
        engine=Engine.MOONSHINE,
        participant_id=work.participant_id,
        participant_name=work.participant_name,
        start_ms=start_ms,
        end_ms=work.speech.end_ms,
        language=work.language,
        text="" if isinstance(result, Unrecognised) else result.text,
        reason=failure,
    )


def end_of_transcript(session_id: str, work: EndWork) -> Utterance:
    return Utterance(session_id=session_id, kind=OutputKind.END, count=work.count)
