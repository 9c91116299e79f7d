"""What a receiver was told is judged: nothing lost, nothing twice, in order."""

from typing import Any

import pytest

from schemas.records import OutputKind, ParticipantEvent, Utterance
from tests.soak.expected import CHANGES, Expected
from tests.soak.tidings import differences

SESSION = "app_0123456789abcdef"
SAID = Utterance(session_id=SESSION, kind=OutputKind.ITEM, utterance_id="utt_1", engine="moonshine", text="Yes.")
CAME = ParticipantEvent(session_id=SESSION, kind=OutputKind.ITEM, event_id="pe_1", event="join")
WROTE = ParticipantEvent(session_id=SESSION, kind=OutputKind.ITEM, event_id="msg_1.0", event="chat_message")
EXPECTED = Expected(
    utterances=[SAID, Utterance(session_id=SESSION, kind=OutputKind.END)],
    events=[CAME, WROTE, ParticipantEvent(session_id=SESSION, kind=OutputKind.END)],
    segments=[],
    movie=b"",
)
Body = dict[str, Any]


def told() -> list[Body]:
    news: list[tuple[str, Body]] = [("bot.state_change", {"new_state": step[2]}) for step in CHANGES]
    news[2:2] = [
        ("participant_events.join_leave", {"id": "pe_1"}),
        ("transcript.update", {"segment_id": "utt_1"}),
        ("chat_messages.update", {"id": "msg_1"}),
    ]
    return [
        {"idempotency_key": str(number), "sequence": number, "trigger": trigger, "data": data}
        for number, (trigger, data) in enumerate(news)
    ]


def test_all_of_it_once_or_again_as_the_same() -> None:
    bodies = told()
    assert differences(EXPECTED, bodies) == []
    assert differences(EXPECTED, [*bodies[:4], bodies[1], *bodies[4:], bodies[0]]) == []


@pytest.mark.parametrize("at", range(len(CHANGES) + 3))
def test_whatever_is_lost_is_missed(at: int) -> None:
    bodies = told()
    assert differences(EXPECTED, bodies[:at] + bodies[at + 1 :])


@pytest.mark.parametrize("at", range(len(CHANGES) + 3))
def test_what_is_told_again_under_another_key_is_told_twice(at: int) -> None:
    bodies = told()
    assert differences(EXPECTED, [*bodies, bodies[at] | {"idempotency_key": "x", "sequence": len(bodies)}])


def test_a_repetition_says_the_same() -> None:
    bodies = told()
    assert differences(EXPECTED, [*bodies, bodies[3] | {"data": {"segment_id": "utt_2"}}])


def test_order_counts() -> None:
    bodies = told()
    assert differences(EXPECTED, [bodies[1], bodies[0], *bodies[2:]])
