"""What the client library says of ends is not always an end."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_END, OFFSET_INVALID

from connectors.kafka import leaders
from connectors.kafka.errors import TimedOut
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings

ONE, OTHER = Place("t", 0), Place("t", 1)


class Library:
    """Answers each question with the next of `rounds`: an offset by partition, and as the library does, no error."""

    def __init__(self, *rounds: dict[int, int]) -> None:
        self._rounds = list(rounds)

    def list_offsets(self, wanted: Any, **_: object) -> dict[Any, "Future[SimpleNamespace]"]:
        offsets, answers = self._rounds.pop(0) if len(self._rounds) > 1 else self._rounds[0], {}
        for place in wanted:
            answers[place] = Future()
            answers[place].set_result(SimpleNamespace(offset=offsets[place.partition]))
        return answers

    def list_topics(self, topic: str, timeout: float) -> object:
        metadata = {n: SimpleNamespace(error=None, leader=1, isrs=[1]) for n in (0, 1)}
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions=metadata)})

    def poll(self, _seconds: float) -> None:
        return None


def directory(library: Library) -> OffsetDirectory:
    made = OffsetDirectory(KafkaSettings())
    made._admin = library  # type: ignore[assignment]
    return made


def test_an_answer_without_an_offset_is_none_and_is_asked_again() -> None:
    library = Library({0: 7, 1: OFFSET_INVALID}, {0: OFFSET_INVALID, 1: 9}, {0: 7, 1: 9})
    assert directory(library).ends([ONE, OTHER]) == {ONE: 7, OTHER: 9}


@pytest.mark.parametrize("ask", ["ends", "starts", "stable_ends"])
def test_where_there_never_is_one_that_is_said_in_time(ask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = directory(Library({0: OFFSET_INVALID}))
    monkeypatch.setattr(asked, "_rescue", lambda: None)
    with pytest.raises(TimedOut):
        getattr(asked, ask)([ONE], 0.3)


def test_that_nothing_is_so_young_is_an_answer() -> None:
    assert directory(Library({0: OFFSET_END})).since([ONE], 1) == {ONE: None}


def test_who_names_no_offset_leads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaders, "AdminClient", lambda _config: Library({0: OFFSET_INVALID, 1: 3}))
    assert leaders.led(KafkaSettings(), [ONE, OTHER]) == {OTHER}
