from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from processors.lifecycle import batch
from processors.lifecycle.batch import StatedFact, fold_batch
from schemas import archiving
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


OVER = ["requested", "claimed", "connection_failed"]


def over(session="app_a"):
    """A session that is over, as the newest state of it."""
    return fold_batch({}, [stated(session, kind, offset) for offset, kind in enumerate(OVER)], "t").states[session]


def about(state, kind, offset, **fields):
    return StatedFact(SessionFact(session_id=state.session_id, kind=FactKind(kind), **fields), 3, offset, 1000 + offset)


def archived(state, offset):
    return about(state, "archived", offset, folded_offset=state.folded_offset)


def recalled(state, offset):
    return about(state, "recalled", offset, document=archiving.as_document(state))


def test_an_archived_session_leaves_a_tombstone_and_who_says_so_again_is_no_dead_letter():
    state = over()
    folded = fold_batch({"app_a": state}, [archived(state, 5), archived(state, 6)], "t")
    assert (folded.states, folded.partitions) == ({"app_a": None}, {"app_a": 3})
    assert (folded.changes, folded.refused) == ([], [])
    assert fold_batch({}, [archived(state, 7)], "t").refused == []


def test_facts_about_an_archived_session_are_refused_until_it_is_recalled():
    state = over()
    facts = [
        archived(state, 5),
        about(state, "metadata_replaced", 6, metadata='{"lost":1}'),
        recalled(state, 7),
        recalled(state, 8),
        about(state, "metadata_replaced", 9, metadata='{"kept":1}'),
    ]
    folded = fold_batch({"app_a": state}, facts, "t")
    assert [entry.offset for entry in folded.refused] == [6]
    assert folded.states == {"app_a": replace(state, metadata='{"kept":1}', folded_offset=9)}
    assert folded.changes == [], "its life was told when it was lived"


@given(st.lists(st.sampled_from(["archived", "recalled", "metadata_replaced", "data_deleted"]), max_size=12), st.data())
def test_however_archiving_is_cut_into_batches_the_result_is_the_same(kinds, data):
    """A batch that is folded again after a crash begins where the states of the last one are."""
    state, known, facts = over(), {"app_a": over()}, []
    for offset, kind in enumerate(kinds, 10):
        newest = known.get("app_a")
        fact = {"archived": archived, "recalled": recalled}.get(kind, lambda s, o, k=kind: about(s, k, o))
        facts.append(fact(newest or state, offset))
        known |= fold_batch(known, facts[-1:], "t").states
    cut = data.draw(st.integers(0, len(facts)))
    first = fold_batch({"app_a": state}, facts[:cut], "t")
    second = fold_batch({"app_a": state} | first.states, facts[cut:], "t")
    whole = fold_batch({"app_a": state}, facts, "t")
    assert {"app_a": state} | first.states | second.states == {"app_a": state} | whole.states == known
    assert first.changes + second.changes == whole.changes
    assert first.refused + second.refused == whole.refused


def test_a_state_that_cannot_be_written_takes_its_facts_with_it_and_nothing_else():
    """What a `recalled` document may hold has no bounds that a schema would give it."""
    endless = replace(over("app_b"), created_at_ms=2**70)
    facts = [recalled(endless, 5), about(endless, "metadata_replaced", 6, metadata="{}"), stated("app_c", OVER[0], 7)]
    folded = fold_batch({}, facts, "t")
    folded.give_up("app_b", facts, "OverflowError")
    assert set(folded.states) == {"app_c"}
    assert {change.session_id for change in folded.changes} == {"app_c"}
    assert folded.failed == [(facts[0], "OverflowError"), (facts[1], "OverflowError")]
