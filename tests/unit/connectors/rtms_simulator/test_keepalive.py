"""Zoom's bookkeeping of keep-alives: an answer settles its request and those before it, nothing else does."""

import json

from connectors.rtms.simulator.keepalive import KeepAlives


def test_requests_are_numbered_and_never_share_a_timestamp() -> None:
    keep_alives = KeepAlives()
    asked = [json.loads(keep_alives.request(now_ms)) for now_ms in (1_700_000_000_000, 1_700_000_000_000, 5)]
    assert [message["msg_type"] for message in asked] == [12, 12, 12]
    assert [message["sequence"] for message in asked] == [1, 2, 3]
    assert len({message["timestamp"] for message in asked}) == 3
    assert keep_alives.unanswered == 3


def test_an_answer_settles_its_request_and_those_before() -> None:
    keep_alives = KeepAlives()
    stamps = [json.loads(keep_alives.request(1_700_000_000_000 + n))["timestamp"] for n in range(3)]
    assert keep_alives.answer({"msg_type": 13, "timestamp": stamps[1]})
    assert keep_alives.unanswered == 1
    assert not keep_alives.answer({"msg_type": 13, "timestamp": stamps[1]}), "twice"
    assert not keep_alives.answer({"msg_type": 13}), "no timestamp"
    assert not keep_alives.answer({"msg_type": 13, "timestamp": str(stamps[2])}), "not the same type"
    assert keep_alives.unanswered == 1
    assert keep_alives.answer({"msg_type": 13, "timestamp": stamps[2], "sequence": 99})
    assert keep_alives.unanswered == 0
