"""The API's last answers are held against the expected ones, each of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas import ids
from schemas.records import OutputKind, ParticipantEvent, Utterance, UtteranceStatus
from tests.soak.answers import Answers, differences
from tests.soak.expected import CHANGES, Expected

S = "app_0123456789abcdef"


def spoken(number: int, **changes: object) -> Utterance:
    made = Utterance(session_id=S, kind=OutputKind.ITEM, utterance_id=f"utt_{number}", engine="zoom",
                     start_ms=number, end_ms=number + 5, text=f"{number}", participant_id=1)  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


EXPECTED = Expected(
    (
        spoken(2), spoken(1), spoken(3, text=""), spoken(4, status=UtteranceStatus.FAILED),
        Utterance(session_id=S, kind=OutputKind.END, count=2),
    ),
    (ParticipantEvent(session_id=S, kind=OutputKind.ITEM, event_id="pe_1", event="join", timestamp_ms=3),),
    (),
    b"movie",
)  # fmt: skip


def document(number: int) -> dict[str, object]:
    uuid = ids.participant_uuid(S, 1)
    return {
        "id": f"utt_{number}", "engine": "zoom", "recognised_by": "zoom", "model": None, "language": None,
        "speaker_name": None, "speaker_uuid": uuid,
        "speaker_user_uuid": None, "speaker_is_host": False, "timestamp_ms": number, "duration_ms": 5,
        "transcription": {"transcript": f"{number}"},
    }  # fmt: skip


def whole() -> Answers:
    session = {"id": S, "state": "ended", "recording_state": "complete", "transcription_state": "complete",
               "failures": [], "holes": [], "events": [{"type": event} for event, _, _ in CHANGES]}  # fmt: skip
    joined = {"id": "pe_1", "event_type": "join", "event_data": {}, "participant_name": None,
              "participant_uuid": ids.participant_uuid(S, 0), "participant_user_uuid": None,
              "participant_is_host": False, "timestamp_ms": 3}  # fmt: skip
    return Answers(session, {"zoom": [document(1), document(2)], "moonshine": []}, [joined], b"movie")


def test_the_right_answers_are_right() -> None:
    assert differences(EXPECTED, whole()) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: replace(a, session={**a.session, "state": "post_processing"}), "state is 'post_processing'"),
        (lambda a: replace(a, session={**a.session, "failures": ["x"]}), "failures is ['x']"),
        (lambda a: replace(a, session={**a.session, "events": a.session["events"][:-1]}), "the history is"),
        (lambda a: replace(a, transcripts={"zoom": [document(1)]}), "the transcript by zoom differs"),
        (lambda a: replace(a, transcripts={"zoom": [document(2), document(1)]}), "the transcript by zoom differs"),
        (lambda a: replace(a, transcripts={"moonshine": [document(1)]}), "the transcript by moonshine differs"),
        (lambda a: replace(a, events=[]), "the participant events differ"),
        (lambda a: replace(a, recording=b""), "the download differs"),
    ],
)
def test_each_wrong_answer_is_seen(spoil: Callable[[Answers], Answers], said: str) -> None:
    [line] = differences(EXPECTED, spoil(whole()))
    assert said in line
