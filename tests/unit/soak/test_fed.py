"""What the topics hold is the meeting: what is lost, different or out of order is seen; a repetition is no fault."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.rtms.simulator.meeting import Meeting
from schemas import topics
from schemas.records import Caption, MediaRecord, RecordKind
from tests.soak import comparison
from tests.soak.comparison import fed
from tests.soak.expected import Inputs

KINDS = (RecordKind.BEGIN, RecordKind.FRAME, RecordKind.TICK, RecordKind.FRAME, RecordKind.END)
WHOLE = [
    Caption(session_id="app_1", kind=kind, epoch=1, sequence=at, timestamp_ms=at, arrived_us=0)
    for at, kind in enumerate(KINDS)
]

Change = Callable[[list[MediaRecord]], list[MediaRecord]]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], list[str]]:
    """What is found where captions are changed, and all other topics are whole."""
    monkeypatch.setattr(comparison, "sent", lambda _meeting: {topic.name: 2 for topic in topics.MEDIA_TOPICS})
    meeting = Meeting.build(1, 12)

    def checked(change: Change) -> list[str]:
        inputs: Inputs = {topic.name: list(WHOLE) for topic in topics.MEDIA_TOPICS}
        inputs[topics.CAPTIONS.name] = change(list(WHOLE))
        return fed(meeting, inputs)

    return checked


@pytest.mark.parametrize("at", range(len(WHOLE)))
def test_what_comes_twice_is_the_same(found: Callable[[Change], list[str]], at: int) -> None:
    assert found(lambda records: [*records[: at + 1], *records[at:]]) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda records: [*records[:1], *records[2:]],
        lambda records: [*records[:2], replace(records[1], text="other"), *records[2:]],
        lambda records: [*records[:1], records[2], records[1], *records[3:]],
        lambda records: records[:-1],
        lambda records: [*records, replace(records[1], sequence=len(records))],
    ],
    ids=["lost", "two of one number", "disorder", "no end", "more"],
)
def test_everything_else_is_seen(found: Callable[[Change], list[str]], change: Change) -> None:
    assert found(change) != []
