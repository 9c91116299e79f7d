"""Which letters are meant, and what can be done with them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.kafka.dead_letters import Origin, letter_of
from connectors.kafka.letter_box import Filter, Letter, LetterBox
from connectors.kafka.re_driving import Outcome, ReDriving, refusal
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec

SETTINGS = KafkaSettings(partitions=8)
LETTER = Letter(17, 5, letter_of(Origin("rtms.audio", 7, 3, b"app_1"), "No Confluent header", b"x"))


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (Filter(), True), (Filter(topic="rtms.audio"), True), (Filter(topic="rtms"), False),
        (Filter(session_id="app_1"), True), (Filter(session_id="app_2"), False), (Filter(reason="confluent"), True),
        (Filter(reason="schema"), False), (Filter(topic="rtms.audio", session_id="app_1", reason="no"), True),
        (Filter(topic="rtms.audio", session_id="app_2"), False),
    ],
)  # fmt: skip
def test_a_letter_passes_when_it_agrees_with_everything_given(wanted: Filter, passes: bool) -> None:
    assert wanted.passes(LETTER.content) is passes
    assert wanted.is_everything is (wanted == Filter())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None), ({"partition": 8}, "rtms.audio has no partition 8 any more"),
        ({"topic": "zoom"}, "nowhere to put it back"), ({"topic": "projects"}, "the newest word on each key"),
        ({"length": 2}, "only the first 1 of its 2 bytes"), ({"length": 0, "data": b""}, "was empty"),
        ({"topic": "transcripts"}, None), ({"key": None}, None),
    ],
)  # fmt: skip
def test_what_can_never_be_put_back(change: dict[str, object], why: str | None) -> None:
    reason = refusal(LETTER._replace(content=replace(LETTER.content, **change)), SETTINGS)  # type: ignore[arg-type]
    assert reason is None if why is None else why in str(reason)


def test_places_and_notes() -> None:
    assert str(LETTER.place) == "rtms.audio/7/3"
    assert not LETTER.is_note
    assert LETTER._replace(content=replace(LETTER.content, re_driven_to=0)).is_note


class Box(LetterBox):
    """Holds what it is given."""

    def __init__(self, *letters: Letter) -> None:
        self._all = letters

    def everything(self) -> Iterator[Letter]:
        return iter(self._all)


@pytest.mark.parametrize(("data", "outcome"), [(b"x", Outcome.BEFORE), (b"another", Outcome.WOULD)])
def test_of_a_topic_that_was_made_anew_the_same_place_is_another_input(data: bytes, outcome: Outcome) -> None:
    note = LETTER._replace(content=replace(LETTER.content, data=b"", re_driven_to=9))
    later = LETTER._replace(number=19, content=letter_of(Origin("rtms.audio", 7, 3, b"app_2"), "No header", data))
    driving = ReDriving(SETTINGS, Box(note, later), Codec.with_ids_from([]), None)
    assert [result.outcome for result in driving.run(lambda _letter: True)] == [outcome]
