"""What a receiver was told is judged: nothing lost, nothing twice, in order."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.records import OutputKind, ParticipantEvent, Utterance
from tests.soak.expected import CHANGES, SIDE_STEPS, Expected
from tests.soak.stored import Stored
from tests.soak.tidings import differences

SESSION = "app_0123456789abcdef"
SAID = Utterance(session_id=SESSION, kind=OutputKind.ITEM, utterance_id="utt_1", engine="moonshine", text="Yes.")
CAME = ParticipantEvent(session_id=SESSION, kind=OutputKind.ITEM, event_id="pe_1", event="join")
WROTE = ParticipantEvent(session_id=SESSION, kind=OutputKind.ITEM, event_id="msg_1.0", event="chat_message")
EXPECTED = Expected(
    utterances=[SAID, Utterance(session_id=SESSION, kind=OutputKind.END)],
    events=[CAME, WROTE, ParticipantEvent(session_id=SESSION, kind=OutputKind.END)],
    segments=[],
    stored=Stored(),
    sides=["tran_1"],
)
Body = dict[str, Any]


def told() -> list[Body]:
    news: list[tuple[str, Body]] = [("bot.state_change", {"new_state": step[2]}) for step in CHANGES]
    news[2:2] = [
        ("participant_events.join_leave", {"id": "pe_1"}),
        ("transcript.update", {"segment_id": "utt_1"}),
        ("chat_messages.update", {"id": "msg_1"}),
    ]
    news += [("async_transcription.state_change", {"id": "tran_1", "state": state}) for state in SIDE_STEPS]
    return [
        {"idempotency_key": str(number), "sequence": number, "trigger": trigger, "data": data}
        for number, (trigger, data) in enumerate(news)
    ]


def test_all_of_it_once_or_again_as_the_same() -> None:
    bodies = told()
    assert differences(EXPECTED, bodies) == []
    assert differences(EXPECTED, [*bodies[:4], bodies[1], *bodies[4:], bodies[0]]) == []


@pytest.mark.parametrize("at", range(len(CHANGES) + 3 + len(SIDE_STEPS)))
def test_whatever_is_lost_is_missed(at: int) -> None:
    bodies = told()
    assert differences(EXPECTED, bodies[:at] + bodies[at + 1 :])


@pytest.mark.parametrize("at", range(len(CHANGES) + 3 + len(SIDE_STEPS)))
def test_what_is_told_again_under_another_key_is_told_twice(at: int) -> None:
    bodies = told()
    assert differences(EXPECTED, [*bodies, bodies[at] | {"idempotency_key": "x", "sequence": len(bodies)}])


def test_each_change_of_a_caption_is_told_and_that_its_words_are_gone() -> None:
    gone = replace(SAID, revision=2, text="", withdraws=True)
    wordless = replace(SAID, utterance_id="utt_2", text="")
    expected = replace(EXPECTED, utterances=[SAID, gone, wordless])
    bodies = told()
    assert "1 told, expected 2" in differences(expected, bodies)[0]
    again = bodies[3] | {"idempotency_key": "x", "sequence": len(bodies)}
    assert differences(expected, [*bodies, again]) == []


def test_a_repetition_says_the_same() -> None:
    bodies = told()
    assert differences(EXPECTED, [*bodies, bodies[3] | {"data": {"segment_id": "utt_2"}}])


def test_order_counts() -> None:
    bodies = told()
    assert differences(EXPECTED, [bodies[1], bodies[0], *bodies[2:]])
