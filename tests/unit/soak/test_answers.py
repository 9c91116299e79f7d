"""The API's last answers are held against the expected ones, each of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas import ids
from schemas.records import OutputKind, ParticipantEvent, SpokenWord, Utterance, UtteranceStatus
from tests.soak.answers import Answers, differences
from tests.soak.expected import CHANGES, Expected
from tests.soak.stored import Stored

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
    Stored({"s/recording.mp4": b"movie", "s/tracks/share.mp4": b"film", "s/tracks/share/segments/1.m4s": b""},
           "s/recording.mp4"),
)  # fmt: skip


SIDE = {"id": "tran_1", "state": "complete", "failure_data": None}


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
               "failures": [], "holes": [], "events": [{"type": event} for event, _, _ in CHANGES],
               "async_transcriptions": []}  # fmt: skip
    joined = {"id": "pe_1", "event_type": "join", "event_data": {}, "participant_name": None,
              "participant_uuid": ids.participant_uuid(S, 0), "participant_user_uuid": None,
              "participant_is_host": False, "timestamp_ms": 3}  # fmt: skip
    return Answers(
        session, {"zoom": [document(1), document(2)], "moonshine": []}, [joined], b"movie", {"share": b"film"}
    )


def wrote(answers: Answers, **transcripts: list[dict[str, object]]) -> Answers:
    return replace(answers, transcripts={**answers.transcripts, **transcripts})


def test_a_side_transcript_has_its_words_and_the_names_that_speakers_had_last() -> None:
    said = spoken(7, engine="tran_1", words=(SpokenWord("7", 7, 9),))
    names = ("Ada", "Ada King")
    came = [
        ParticipantEvent(session_id=S, kind=OutputKind.ITEM, event_id=f"pe_{at}", event="join", participant_id=1,
                         participant_name=name, timestamp_ms=at) for at, name in enumerate(names)
    ]  # fmt: skip
    wanted = replace(EXPECTED, utterances=(*EXPECTED.utterances, said), events=came, sides=["tran_1"])
    first, last = ({**document(7), "engine": "tran_1", "recognised_by": "tran_1", "speaker_name": name,
                    "transcription": {"transcript": "7", "words": [{"word": "7", "start": 0.0, "end": 0.002}]}}
                   for name in names)  # fmt: skip
    shown = replace(whole(), session={**whole().session, "async_transcriptions": [SIDE]})
    assert [line for line in differences(wanted, wrote(shown, tran_1=[last])) if "events" not in line] == []
    assert "the API: the transcript by tran_1 differs (1 utterances)" in differences(
        wanted, wrote(shown, tran_1=[first])
    )


def test_the_right_answers_are_right() -> None:
    assert differences(EXPECTED, whole()) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: replace(a, session={**a.session, "state": "post_processing"}), "state is 'post_processing'"),
        (lambda a: replace(a, session={**a.session, "failures": ["x"]}), "its failures are told as"),
        (lambda a: replace(a, session={**a.session, "events": a.session["events"][:-1]}), "the history is"),
        (lambda a: wrote(a, zoom=[document(1)]), "the transcript by zoom differs"),
        (lambda a: wrote(a, zoom=[document(2), document(1)]), "the transcript by zoom differs"),
        (lambda a: wrote(a, moonshine=[document(1)]), "the transcript by moonshine differs"),
        (lambda a: replace(a, tracks={}), "the track share differs"),
        (lambda a: replace(a, session={**a.session, "async_transcriptions": [SIDE]}), "the side transcripts are"),
        (lambda a: replace(a, events=[]), "the participant events differ"),
        (lambda a: replace(a, recording=b""), "the download differs"),
    ],
)
def test_each_wrong_answer_is_seen(spoil: Callable[[Answers], Answers], said: str) -> None:
    [line] = differences(EXPECTED, spoil(whole()))
    assert said in line


def test_what_there_is_not_is_said_of_the_session_and_by_the_event_that_ends_it() -> None:
    failed = ["external_media_storage: access_denied"]
    expected, told = replace(EXPECTED, failures=failed), whole()
    assert differences(expected, told)
    steps = [*told.session["events"][:-1], {**told.session["events"][-1], "event_metadata": {"failures": failed}}]
    assert differences(expected, replace(told, session={**told.session, "failures": failed}))
    assert differences(expected, replace(told, session={**told.session, "events": steps}))
    assert differences(expected, replace(told, session={**told.session, "failures": failed, "events": steps})) == []
