"""Ids of traces: the same for everybody, and as W3C Trace Context wants them."""

import re

from schemas.traces import SESSION, span_id, trace_id, traceparent


def test_everybody_derives_the_same_forever() -> None:
    assert traceparent("app_0pQr6StU7hJk2LmN") == traceparent("app_0pQr6StU7hJk2LmN")
    assert traceparent("app_0pQr6StU7hJk2LmN") == "00-6058029c5aeb3b117d4f3a105315940f-4fe1cbe23c18ebc6-01"


def test_a_header_names_the_trace_and_the_sessions_own_span() -> None:
    found = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01", traceparent("app_a"))
    assert found is not None
    assert (int(found[1], 16), int(found[2], 16)) == (trace_id("app_a"), span_id("app_a", SESSION))


def test_other_sessions_names_and_things_have_other_ids() -> None:
    assert trace_id("app_a") != trace_id("app_b")
    spans = {
        span_id(*which) for which in (("a", "b", "c"), ("a", "bc", ""), ("ab", "c", ""), ("a", "b", ""), ("a", "", "b"))
    }
    assert len(spans) == 5
