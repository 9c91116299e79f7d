"""What the log says of a session as spans: facts, states for as long as they lasted, and the whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.host import traces
from connectors.host.spans import Span
from processors.lifecycle import spans
from processors.lifecycle.batch import StatedFact, fold_batch
from schemas.records import AppSession, FactKind, SessionFact, StreamRequest
from schemas.traces import SESSION

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://a",), zoom_app_id="z")
LIFE = ("requested", "claimed", "connected", "stream_over", "disconnected", "recording_failed", "transcript_stored",
        "events_stored")  # fmt: skip
"""A second lies between two of them."""


class Told:
    """A collector that keeps what it is told."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def add(self, span: Span) -> None:
        self.spans.append(span)

    def close(self) -> None:
        return


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    traces.use(told)
    yield told
    traces.use(None)


def stated(kind: str, offset: int) -> StatedFact:
    request, epoch = (REQUEST if kind == "requested" else None), (None if offset < 2 else 1)
    fact = SessionFact(session_id="app_a", kind=FactKind(kind), project_id="proj_1", request=request, worker="w",
                       epoch=epoch, source="w", reason="meeting_ended")  # fmt: skip
    return StatedFact(fact, 3, offset, 10_000 + 1000 * offset)


def live(batches: int) -> None:
    """The whole life, in so many batches."""
    facts = [stated(kind, offset) for offset, kind in enumerate(LIFE)]
    states: dict[str, AppSession] = {}
    for number in range(batches):
        part = facts[number * len(facts) // batches : (number + 1) * len(facts) // batches]
        folded = fold_batch(states, part, "t")
        states |= folded.states
        spans.tell(part, folded)


@pytest.mark.parametrize("batches", [1, 3, len(LIFE)])
def test_a_life_is_told_however_it_is_cut_into_batches(told: Told, batches: int) -> None:
    live(batches)
    facts = [span for span in told.spans if span.name.startswith("fact ")]
    assert [(span.name, span.started_ns // 10**9, span.which) for span in facts] == [
        (f"fact {kind}", 10 + offset, str(offset)) for offset, kind in enumerate(LIFE)
    ]
    lasted = {
        span.name: (span.started_ns // 10**9, span.ended_ns // 10**9)
        for span in told.spans
        if span.started_ns != span.ended_ns
    }
    assert lasted == {
        "connecting": (10, 12), "connected": (12, 13), "disconnecting": (13, 14), "post_processing": (14, 17),
        SESSION: (10, 17),
    }  # fmt: skip
    (whole,) = [span for span in told.spans if span.name == SESSION]
    assert whole.attributes == {"project_id": "proj_1", "state": "ended"}
    assert len({(span.name, span.which) for span in told.spans}) == len(told.spans)


def test_a_fact_that_nobody_asked_for_is_in_no_trace(told: Told) -> None:
    facts = [stated("claimed", 1)]
    spans.tell(facts, fold_batch({}, facts, "t"))
    assert told.spans == []
