"""What is printed while a meeting runs."""

from __future__ import annotations

import io

from rich.console import Console

from deploy.local.demo.screen import Screen
from schemas import chat_messages
from schemas.chat_messages import ChatDetails, Revised
from schemas.participant_events import CHAT_MESSAGE
from schemas.records import OutputKind, ParticipantEvent


def message(message_id: str, revision: int, text: str) -> ParticipantEvent:
    return ParticipantEvent(
        session_id="a",
        kind=OutputKind.ITEM,
        event_id=chat_messages.event_id(Revised(message_id, revision)),
        event=CHAT_MESSAGE,
        participant_id=7,
        participant_name="Ada",
        details=chat_messages.dumps(ChatDetails(text=text)),
    )


def test_a_changed_message_is_not_taken_for_another() -> None:
    output = io.StringIO()
    screen = Screen(Console(file=output, width=80))
    for each in (message("msg_a", 0, "Helo"), message("msg_b", 0, "Hi"), message("msg_a", 2, "Hello")):
        screen.show(each, 0)
    words = [line.split()[1:] for line in output.getvalue().splitlines()]
    assert words == [["Ada", "Helo", "chat"], ["Ada", "Hi", "chat"], ["Ada", "Hello", "chat,", "changed"]]
