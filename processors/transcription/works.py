"""What `TranscriptionLogic` asks to be written, and how it reads as records."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from processors.transcription.caption_lines import CaptionWork, end_of, start_of
from processors.transcription.endpointing import Speech
from processors.transcription.engines import Question
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised
from schemas import ids
from schemas.languages import tag
from schemas.records import OutputKind, SpokenWord, Utterance, UtteranceStatus
from schemas.settings import Engine

END_ITEM = "end"

_options = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class SpeechWork:
    """One utterance for the recognisers, in the order in which they are asked; `options` is theirs, as JSON.

    `has_partials`: the session wants to be told of it while it is spoken. `project_id` says whose keys they may be
    asked with; empty: the operator's alone.
    """

    participant_id: int
    participant_name: str | None
    language: str
    speech: Speech
    engines: tuple[Engine, ...] = (Engine.MOONSHINE,)
    options: str = "{}"
    has_partials: bool = False
    project_id: str = ""

    @property
    def revision(self) -> int:
        """Of what is final: above that of every partial, for none has heard more than who decided that it ends."""
        return self.speech.heard_ms + 1 if self.has_partials else 1

    def id_in(self, session_id: str, side: str | None = None) -> str:
        """The utterance's id, from its first moment on: nothing that is said later changes it.

        In the session's transcript, or in the side transcript `side`.
        """
        track, start_ms = str(self.participant_id), self.speech.start_ms
        return ids.window_id(ids.UTTERANCE_PREFIX, session_id, "utterance", side or self.engines[0], track, start_ms)

    def question(self, session_id: str) -> Question | Unrecognised:
        """What engines are asked about it; where none could hear it, why not."""
        pcm, audio = self.speech.pcm, self.speech.audio
        if pcm is None:
            return Unrecognised(f"unsupported audio: {audio}")
        options, rate_hz = _readable(self.options), audio.sample_rate_hz
        return Question(pcm, rate_hz, self.language, options, session_id, self.project_id, self.id_in(session_id))


def _readable(options: str) -> dict[str, Any]:
    """What the session wants of its engines; nothing where nobody can read it."""
    try:
        return _options.decode(options)
    except (ValueError, RecursionError):
        return {}


@dataclass(frozen=True, slots=True)
class EndWork:
    """The transcript is complete.

    `count` says how many utterances are certain to be in it: Zoom's captions. In how many of the others the recogniser
    found a word (without one they are not written) is known to nobody who must survive a crash.
    """

    count: int


def caption_utterance(work: CaptionWork) -> Utterance:
    """What Zoom's captions say, as an utterance. Its id comes from who began to speak when: a correction repeats it."""
    caption, start_ms = work.caption, start_of(work.caption)
    track = f"{caption.participant_id}.{work.ordinal}" if work.ordinal else str(caption.participant_id)
    return Utterance(
        session_id=caption.session_id,
        kind=OutputKind.ITEM,
        utterance_id=ids.window_id(ids.UTTERANCE_PREFIX, caption.session_id, "utterance", Engine.ZOOM, track, start_ms),
        revision=work.revision,
        status=UtteranceStatus.FINAL,
        engine=Engine.ZOOM,
        participant_id=caption.participant_id,
        participant_name=caption.participant_name,
        start_ms=start_ms,
        end_ms=end_of(caption),
        language=tag(caption.language),
        text=caption.text,
        withdraws=work.withdraws,
    )


def speech_utterance(session_id: str, work: SpeechWork, result: Recognition, by: Engine | None = None) -> Utterance:
    """What the recogniser `by` (None: the first) made of an utterance, or why it could not.

    Whoever it was, the id is that of the first: whom a repetition finds awake decides nothing but the words.
    """
    start_ms, first = work.speech.start_ms, work.engines[0]
    if isinstance(result, Unrecognised):
        said, failure = Recognised(()), result.reason
    else:
        said, failure = result, None
    return Utterance(
        session_id=session_id,
        kind=OutputKind.ITEM,
        utterance_id=work.id_in(session_id),
        revision=work.revision,
        status=UtteranceStatus.FAILED if failure else UtteranceStatus.FINAL,
        engine=first,
        participant_id=work.participant_id,
        participant_name=work.participant_name,
        start_ms=start_ms,
        end_ms=work.speech.end_ms,
        language=said.language or (work.language if Engine.MOONSHINE in (by, first) else None),
        text=said.text,
        reason=failure,
        recognised_by=by if by is not None and by is not first else None,
        model=said.model,
        words=tuple(SpokenWord(word.text, start_ms + word.start_ms, start_ms + word.end_ms) for word in said.words),
    )


def partial_utterance(session_id: str, work: SpeechWork, result: Recognised) -> Utterance:
    """What the first engine heard so far of an utterance; its revision is of how many ms of it."""
    said = speech_utterance(session_id, work, result, work.engines[0])
    return replace(said, revision=work.speech.heard_ms, status=UtteranceStatus.PARTIAL)


def withdrawal(session_id: str, work: SpeechWork) -> Utterance:
    """That there was no word in it after all. A final that says so would be no part of any transcript."""
    return replace(partial_utterance(session_id, work, Recognised(())), revision=work.revision)


def end_of_transcript(session_id: str, work: EndWork) -> Utterance:
    return Utterance(session_id=session_id, kind=OutputKind.END, count=work.count)
