"""Which fact is blamed for which state and change."""

from schemas.records import FactKind, SessionFact, StreamRequest
from tests.bench.fact_traffic import Stated, first, told

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://x",), zoom_app_id="z")


def stated(kind: FactKind, offset: int, epoch: int | None = None) -> Stated:
    request = REQUEST if kind is FactKind.REQUESTED else None
    return Stated(SessionFact(session_id="s", kind=kind, request=request, epoch=epoch), float(offset), offset)


def test_a_state_shows_all_facts_up_to_its_offset() -> None:
    states = [(3, 10.0), (7, 11.0), (7, 12.0), (9, 13.0)]
    assert [first(states, offset) for offset in (2, 3, 4, 7, 8)] == [10.0, 10.0, 11.0, 11.0, 13.0]


def test_facts_that_change_nothing_tell_nothing() -> None:
    facts = [
        stated(FactKind.REQUESTED, 4),
        stated(FactKind.CLAIMED, 6),
        stated(FactKind.CONNECTED, 7, epoch=6),
        stated(FactKind.STREAM_OVER, 8, epoch=5),
        stated(FactKind.STREAM_OVER, 9, epoch=6),
    ]
    assert [one.offset for one in told(facts)] == [4, 7, 9]


def test_a_fact_that_ends_two_things_tells_two() -> None:
    facts = [
        stated(FactKind.REQUESTED, 0),
        stated(FactKind.END_REQUESTED, 1),
        stated(FactKind.DISCONNECTED, 2),
    ]
    assert [one.offset for one in told(facts)] == [0, 1, 2, 2]
