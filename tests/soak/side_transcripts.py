"""What a side transcript has to be: the stored sound, played to the logic, and heard by whoever was asked."""

from collections import defaultdict
from collections.abc import Mapping

from processors.transcription.afterwards.asking import Asking
from processors.transcription.afterwards.due import Order
from processors.transcription.afterwards.playing import Play, Score
from processors.transcription.afterwards.writing import Written, end, utterance
from processors.transcription.works import SpeechWork
from schemas import object_names, tracks
from schemas.object_names import StoredSegment
from schemas.records import Utterance, UtteranceStatus


async def side_transcript(order: Order, objects: Mapping[str, bytes], asking: Asking) -> list[Utterance]:
    """All of its records, its end last. `objects` are the session's, by key."""
    session_id = order.session_id
    pieces = _pieces(session_id, objects)
    score = Score(session_id, order.project_id, order.partition, order.wanted.settings, pieces)

    def fetched(piece: StoredSegment) -> tuple[bytes, bytes]:
        return objects[object_names.header_key(session_id, piece.header)], objects[piece.key]

    play, written, said = Play(score, fetched), Written(), list[Utterance]()
    while not play.is_over:
        for window in play.works():
            assert isinstance(window.work, SpeechWork)
            made = utterance(order, window.work, *await asking.recognise(window.work, session_id))
            assert made.status is UtteranceStatus.FINAL, made.reason
            if made.text:
                written.add(made)
                said.append(made)
            play.done(window)
    return [*said, end(order, written)]


def _pieces(session_id: str, objects: Mapping[str, bytes]) -> dict[int, list[StoredSegment]]:
    """Of each participant's sound."""
    keys = defaultdict[int, list[str]](list)
    for key in objects:
        name = key.removeprefix(f"sessions/{session_id}/tracks/").partition("/segments/")[0]
        if (participant_id := tracks.participant_of(name)) is not None and "/segments/" in key:
            keys[participant_id].append(key)
    return {number: object_names.stored_segments((key, 0) for key in own) for number, own in sorted(keys.items())}
