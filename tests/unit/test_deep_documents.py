"""JSON from outside may be nested a hundred thousand deep: whoever reads it takes it for unreadable, and goes on."""

from collections.abc import Callable

import pytest

from api.participant_events import events
from connectors.rtms.transport.capture import without_secrets
from connectors.speech.custom_async import CustomAsync
from connectors.speech.deepgram import Deepgram
from connectors.speech.exchange import NoAnswer
from connectors.speech.openai import OpenAI
from processors.checkpoint.states import State
from processors.transcription import works
from schemas import archiving, chat_messages, deletion, embedded_json, settings
from schemas.records import FactKind, SessionFact

DEEP = "[" * 100_000
DOCUMENTS = [DEEP, '{"a":' + DEEP, '{"a":' * 100_000]


def fact(document: str) -> SessionFact:
    return SessionFact(session_id="app_1", kind=FactKind.RECALLED, document=document)


READ_AS: dict[str, tuple[Callable[[str], object], object]] = {
    "settings": (settings.readable, settings.SessionSettings()),
    "options of engines": (works._readable, {}),
    "details of a chat message": (chat_messages.readable, chat_messages.ChatDetails()),
    "details of a participant event": (events._details, {}),
    "data of a state or a change": (embedded_json.read, None),
    "a recalled session": (lambda text: archiving.recalled(fact(text)), None),
    "the body of a delivery": (deletion._told_ms, deletion.NOTHING_MS),
    "a message to be kept": (
        lambda text: without_secrets(b'{"signature":' + text.encode(), str.upper), b""
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", DOCUMENTS, ids=["list", "list in an object", "object"])
@pytest.mark.parametrize("kind", READ_AS)
def test_it_is_read_as_nothing(kind: str, text: str) -> None:
    read, nothing = READ_AS[kind]
    assert read(text) == nothing


@pytest.mark.parametrize("text", DOCUMENTS, ids=["list", "list in an object", "object"])
def test_it_is_no_state_and_no_answer(text: str) -> None:
    with pytest.raises(ValueError, match="no state"):
        State.from_json(text)
    for service in (
        OpenAI("https://a.example/v1", "k"),
        Deepgram("https://b.example", "k"),
        CustomAsync("https://c.example"),
    ):
        with pytest.raises(NoAnswer):
            service.heard(text.encode(), {})
