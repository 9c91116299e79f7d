from hypothesis import given
from hypothesis import strategies as st

from processors.lifecycle import batch
from processors.lifecycle.batch import StatedFact, fold_batch
from schemas.records import FactKind, SessionFact, StreamRequest

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://a",), zoom_app_id="z")
KINDS = ["requested", "claimed", "connected", "stream_over", "disconnected", "recording_stored", "transcript_stored"]


def stated(session, kind, offset):
    request = REQUEST if kind == "requested" else None
    fact = SessionFact(session_id=session, kind=FactKind(kind), project_id="proj_1", request=request, settings=None)
    return StatedFact(fact, 3, offset, 1000 + offset)


FACTS = st.lists(st.tuples(st.sampled_from(["app_a", "app_b"]), st.sampled_from(KINDS)), max_size=30)


@given(FACTS, st.lists(st.integers(min_value=0, max_value=30), max_size=4))
def test_however_the_facts_are_cut_into_batches_the_result_is_the_same(entries, cuts):
    facts = [stated(session, kind, offset) for offset, (session, kind) in enumerate(entries)]
    whole = fold_batch({}, facts, "t")
    states, changes, refused = {}, [], []
    edges = [0, *sorted(min(cut, len(facts)) for cut in cuts), len(facts)]
    for start, end in zip(edges, edges[1:], strict=False):
        part = fold_batch(states, facts[start:end], "t")
        states |= part.states
        changes += part.changes
        refused += part.refused
    assert (states, changes, refused) == (whole.states, whole.changes, whole.refused)


@given(FACTS)
def test_an_aborted_batch_leaves_no_trace_and_a_replayed_one_changes_nothing(entries):
    facts = [stated(session, kind, offset) for offset, (session, kind) in enumerate(entries)]
    before = {}
    folded = fold_batch(before, facts, "t")
    assert before == {}
    again = fold_batch(folded.states, facts, "t")
    assert again.states == {}
    assert again.changes == []


def test_a_fact_about_nothing_is_refused_and_the_rest_goes_on():
    folded = fold_batch({}, [stated("app_x", "claimed", 0), stated("app_a", "requested", 1)], "t")
    assert [entry.offset for entry in folded.refused] == [0]
    assert folded.states["app_a"].facts_topic_id == "t"
    assert folded.partitions == {"app_a": 3}


def test_a_fact_that_breaks_the_fold_is_put_aside_and_the_rest_goes_on(monkeypatch):
    fold = batch.sessions.fold

    def breaks(state, fact, offset, at_ms):
        if fact.kind is FactKind.CONNECTED:
            raise ZeroDivisionError
        return fold(state, fact, offset, at_ms)

    monkeypatch.setattr(batch.sessions, "fold", breaks)
    facts = [stated("app_a", "requested", 0), stated("app_a", "connected", 1), stated("app_b", "requested", 2)]
    folded = fold_batch({}, facts, "t")
    assert [(entry.offset, error) for entry, error in folded.failed] == [(1, "ZeroDivisionError")]
    assert set(folded.states) == {"app_a", "app_b"}
