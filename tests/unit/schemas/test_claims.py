"""Claims are decided by the order of the log: every replica, and every later reading, comes to the same verdicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.claims import LONGEST_MS, ProjectClaims, Verdict
from schemas.records import Claim, ClaimKind


def claim(session, key=None, limit=10):
    return Claim(project_id="p", session_id=session, kind=ClaimKind.CLAIMED, deduplication_key=key, limit=limit)


def back(session, offset, kind=ClaimKind.RELEASED):
    return Claim(project_id="p", session_id=session, kind=kind, claim_offset=offset)


def verdicts(*records, at=lambda offset: offset):
    claims = ProjectClaims()
    decisions = [claims.apply(record, offset, at(offset)) for offset, record in enumerate(records)]
    return [decision.verdict for decision in decisions if decision is not None]


WON, DUPLICATE, LIMIT = Verdict.WON, Verdict.DUPLICATE, Verdict.LIMIT


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([claim("a", "k"), claim("b", "k")], [WON, DUPLICATE]),
        ([claim("a", "k"), claim("a", "k")], [WON, WON]),
        ([claim("a"), claim("a", "k"), claim("b", "k")], [WON, WON, DUPLICATE]),
        ([claim("a", "k"), claim("b"), claim("b", "k")], [WON, WON, DUPLICATE]),
        ([claim("a", "k"), claim("a", "l"), claim("b", "l")], [WON, WON, WON]),
        ([claim("a", limit=1), claim("b", limit=1)], [WON, LIMIT]),
        ([claim("a", limit=1), claim("a", limit=1)], [WON, WON]),
        ([claim("a", limit=1), claim("b", limit=2), claim("c", limit=2)], [WON, WON, LIMIT]),
        ([claim("a", "k", 1), back("a", 0), claim("b", "k", 1)], [WON, WON]),
        ([claim("a", limit=1), back("a", 7), claim("b", limit=1)], [WON, LIMIT]),
        ([claim("a", limit=1), back("a", 0), claim("a", limit=1), back("a", 0), claim("b", limit=1)],
         [WON, WON, LIMIT]),
        ([claim("a", "k", 1), back("a", 0, ClaimKind.LEFT), claim("b", limit=1), claim("c", "k")],
         [WON, WON, DUPLICATE]),
        ([claim("a", limit=1), back("a", 0, ClaimKind.LEFT), back("a", 0), claim("b", limit=1), claim("c", limit=1)],
         [WON, WON, LIMIT]),
        ([claim("a", "k"), back("a", 0, ClaimKind.UNKNOWN), claim("b", "k")], [WON, DUPLICATE]),
    ],
)  # fmt: skip
def test_verdicts(records, expected):
    assert verdicts(*records) == expected


def test_a_claim_that_nobody_gave_back_does_not_count_for_ever():
    records = [claim("a", "k", 1), claim("b", "k", 1), claim("c", "k", 1)]
    assert verdicts(*records, at=lambda offset: offset * LONGEST_MS) == [WON, DUPLICATE, WON]


def test_who_is_in_the_way_is_named():
    claims = ProjectClaims()
    claims.apply(claim("a", "k"), 5, 0)
    claims.apply(claim("b"), 6, 0)
    refused = claims.apply(claim("c", limit=2), 7, 0)
    assert [(holding.session_id, holding.offset) for holding in refused.holders] == [("a", 5), ("b", 6)]
    assert [holding.session_id for holding in claims.apply(claim("c", "k"), 8, 0).holders] == ["a"]


RECORDS = st.lists(
    st.one_of(
        st.builds(claim, st.sampled_from("abcdef"), st.sampled_from([None, "k", "l"]), st.just(3)),
        st.builds(
            back, st.sampled_from("abcdef"), st.integers(0, 30), st.sampled_from([ClaimKind.LEFT, ClaimKind.RELEASED])
        ),
    ),
    max_size=60,
)


@given(RECORDS, st.integers(0, 59))
def test_at_no_time_more_than_the_limit_and_no_key_twice(records, step):
    """Against a plain account of the rules; claims run out on the way where steps of time are long."""
    claims, held = ProjectClaims(), {}
    for offset, record in enumerate(records):
        at_ms = offset * step * LONGEST_MS // 100
        held = {s: h for s, h in held.items() if at_ms - h["at"] <= LONGEST_MS}
        decision = claims.apply(record, offset, at_ms)
        own = held.get(record.session_id)
        if record.kind is not ClaimKind.CLAIMED:
            if own and own["offset"] == record.claim_offset:
                own["counted"] = False
                if record.kind is ClaimKind.RELEASED:
                    del held[record.session_id]
            continue
        key = record.deduplication_key
        if key and any(h["key"] == key for s, h in held.items() if s != record.session_id):
            expected = DUPLICATE
        elif own:
            expected, own["key"] = WON, own["key"] or key
        elif sum(h["counted"] for h in held.values()) >= record.limit:
            expected = LIMIT
        else:
            expected = WON
            held[record.session_id] = {"offset": offset, "at": at_ms, "key": key, "counted": True}
        assert decision.verdict is expected
