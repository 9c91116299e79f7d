"""No fact stops lifecycle: whatever is stated, a session's state and its changes fit into records."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from processors.lifecycle.batch import StatedFact, fold_batch
from processors.lifecycle.service import MAX_FACT_BYTES
from schemas.codec import Codec
from schemas.records import AppSession, FactKind, Hole, SessionFact, Stored, StreamRequest
from schemas.topics import ALL, APP_SESSIONS, MAX_RECORD_BYTES, SESSION_CHANGES, SESSION_FACTS

CODEC = Codec.with_ids_from(ALL)
LONGEST = 2**63 - 1
TEXTS = st.sampled_from(["", "zoom", "no JSON", "[]", "\0", "x" * (MAX_FACT_BYTES // 8)])
NUMBERS = st.sampled_from([0, 1, -1, LONGEST, -LONGEST - 1])
FACTS = st.builds(
    SessionFact,
    session_id=st.just("app_1"),
    kind=st.sampled_from(FactKind),
    project_id=st.none() | TEXTS,
    source=TEXTS,
    worker=st.none() | TEXTS,
    epoch=st.none() | NUMBERS,
    reason=st.none() | TEXTS | st.sampled_from(["total", "connecting", "post_processing"]),
    request=st.none()
    | st.builds(
        StreamRequest, product=TEXTS, meeting_id=TEXTS, stream_id=TEXTS, server_urls=st.just(()), zoom_app_id=TEXTS
    ),
    settings=st.none() | TEXTS,
    metadata=st.none() | TEXTS,
    stored=st.none() | st.builds(Stored, key=st.none() | TEXTS, size_bytes=NUMBERS, count=NUMBERS),
    hole=st.none() | st.builds(Hole, medium=TEXTS, from_ms=NUMBERS, to_ms=NUMBERS, cause=TEXTS),
)


def folded(facts: Sequence[SessionFact]) -> AppSession | None:
    stated = [StatedFact(fact, 0, offset, LONGEST if offset % 2 else 0) for offset, fact in enumerate(facts)]
    batch = fold_batch({}, stated, "t")
    assert batch.failed == []
    assert all(len(CODEC.encode(SESSION_CHANGES, change)) < MAX_RECORD_BYTES for change in batch.changes)
    return batch.states.get("app_1")


@given(st.lists(FACTS, max_size=30))
def test_any_facts_make_a_state_that_fits(facts: list[SessionFact]) -> None:
    if (state := folded(facts)) is not None:
        assert len(CODEC.encode(APP_SESSIONS, state)) < MAX_RECORD_BYTES


def test_thousands_of_holes_of_many_words_fit() -> None:
    request = StreamRequest(product="m", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
    facts = [SessionFact(session_id="app_1", kind=FactKind.REQUESTED, request=request)]
    for number in range(2000):
        hole = Hole(medium="audio", from_ms=number, to_ms=number, cause="x" * 30_000)
        facts.append(SessionFact(session_id="app_1", kind=FactKind.HOLE_FOUND, hole=hole))
    assert len(CODEC.encode(SESSION_FACTS, facts[-1])) < MAX_FACT_BYTES
    state = folded(facts)
    assert state is not None
    assert len(CODEC.encode(APP_SESSIONS, state)) < MAX_RECORD_BYTES
