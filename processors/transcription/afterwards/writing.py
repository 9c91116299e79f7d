"""What is written of a side transcript, and what is known of it from the log. Pure."""

from dataclasses import dataclass, field, replace

from processors.transcription.afterwards.due import Order
from processors.transcription.recogniser import Recognition
from processors.transcription.works import SpeechWork, speech_utterance
from schemas import async_transcriptions
from schemas.keys import item_key
from schemas.records import FactKind, OutputKind, SessionFact, Utterance, UtteranceStatus
from schemas.settings import Engine

SOURCE = "processor-transcription"


@dataclass(slots=True)
class Written:
    """What stands on `transcripts`: the ids of the utterances, and the end, where all of it was written by somebody.

    `troubles` say why some of the sound could not be heard.
    """

    said: set[str] = field(default_factory=set)
    troubles: set[str] = field(default_factory=set)
    end: Utterance | None = None

    @staticmethod
    def item_of(said: Utterance) -> str:
        """Under which item it is written; the session's own transcript has an end of its own."""
        return said.utterance_id if said.kind is OutputKind.ITEM else f"end_{said.engine}"

    def knows(self, utterance_id: str) -> bool:
        """Whether it was understood, so that nobody need be asked."""
        return utterance_id in self.said

    def look(self, order: Order, key: bytes, found: Utterance | None) -> None:
        """The next record of the session; None for a tombstone."""
        if found is None:
            if key == item_key(order.session_id, f"end_{order.transcription_id}"):
                self.end = None
            _, _, item = key.decode(errors="replace").partition("|")
            self.said.discard(item)
        elif found.engine == order.transcription_id:
            if found.kind is OutputKind.SIDE_END:
                self.end = found
            elif found.kind is OutputKind.ITEM:
                self.add(found)

    def add(self, said: Utterance) -> None:
        self.said.add(said.utterance_id)


def utterance(order: Order, work: SpeechWork, by: Engine, result: Recognition) -> Utterance:
    """What `by` made of an utterance; its id is that of its place in this side transcript, whoever understood it."""
    said = speech_utterance(order.session_id, work, result, by)
    side = order.transcription_id
    return replace(said, utterance_id=work.id_in(order.session_id, side), engine=side, recognised_by=by)


def end(order: Order, written: Written) -> Utterance:
    """The side transcript's last word: how much there is, and whether that is all."""
    is_deaf = bool(written.troubles) and not written.said
    return Utterance(
        session_id=order.session_id,
        kind=OutputKind.SIDE_END,
        engine=order.transcription_id,
        status=UtteranceStatus.FAILED if is_deaf else UtteranceStatus.FINAL,
        reason=async_transcriptions.together(written.troubles),
        count=len(written.said),
    )


def fact(order: Order, kind: FactKind, reason: str | None = None) -> SessionFact:
    """How far it is."""
    return SessionFact(
        session_id=order.session_id,
        kind=kind,
        source=SOURCE,
        transcription_id=order.transcription_id,
        reason=reason,
    )
