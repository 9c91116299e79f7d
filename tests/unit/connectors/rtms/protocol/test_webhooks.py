"""Webhooks of all products, flat and with an object."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol import webhooks
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.webhooks import LIMIT_EVENTS, StreamWebhook, WebhookKind, read_stream_webhook

STARTED = {
    "meeting_uuid": "meetAAA==", "operator_id": "op1", "rtms_stream_id": "stream0001",
    "server_urls": "wss://127.0.0.1:443",
}  # fmt: skip


def body(event: str = "meeting.rtms_started", **changes: Any) -> dict[str, Any]:
    return {"event": event, "event_ts": 1_700_000_000_000, "payload": STARTED | changes}


EXPECTED = StreamWebhook(
    kind=WebhookKind.STARTED, product="meeting", meeting_id="meetAAA==", stream_id="stream0001",
    event_ts_ms=1_700_000_000_000, server_urls=("wss://127.0.0.1:443",), operator_id="op1",
)  # fmt: skip


def test_a_started_stream() -> None:
    assert read_stream_webhook(body()) == EXPECTED
    assert "op1" not in repr(EXPECTED)


def test_the_payload_in_an_object() -> None:
    nested = {"event": "meeting.rtms_started", "event_ts": 1_700_000_000_000, "payload": {"object": STARTED}}
    assert read_stream_webhook(nested) == EXPECTED
    nested["payload"] = {"account_id": "acc", "object": STARTED}
    read = read_stream_webhook(nested)
    assert read is not None
    assert read.account_id == "acc"


@pytest.mark.parametrize(
    ("event", "key", "product"),
    [
        ("webinar.rtms_started", "webinar_uuid", "webinar"),
        ("webinar.rtms_started", "meeting_uuid", "webinar"),
        ("session.rtms_started", "session_id", "session"),
        ("contact_center.voice_rtms_started", "engagement_id", "contact_center"),
        ("phone.rtms_started", "call_id", "phone"),
    ],
)
def test_all_products(event: str, key: str, product: str) -> None:
    read = read_stream_webhook(body(event, **{"meeting_uuid": None, key: "id/1+="}))
    assert read is not None
    assert (read.product, read.meeting_id) == (product, "id/1+=")


def test_of_two_ids_the_products_own_one_counts() -> None:
    read = read_stream_webhook(body("webinar.rtms_started", webinar_uuid="own"))
    assert read is not None
    assert read.meeting_id == "own"


@pytest.mark.parametrize(("key", "product"), [("call_id", "phone"), ("session_id", "session"), ("x", "meeting")])
def test_the_product_of_a_payload_without_envelope(key: str, product: str) -> None:
    assert webhooks.product_of_payload({key: "1"}) == product
    assert webhooks.product_of_payload({"object": {key: "1"}}) == product
    assert webhooks.product_of_payload(None) == "meeting"


def test_stopped_and_interrupted_need_no_address() -> None:
    stopped = read_stream_webhook(body("meeting.rtms_stopped", server_urls=None, stop_reason=8))
    assert stopped is not None
    assert (stopped.kind, stopped.stop_reason, stopped.requires_deletion) == (WebhookKind.STOPPED, 8, True)
    interrupted = read_stream_webhook(body("meeting.rtms_interrupted", server_urls=None))
    assert interrupted is not None
    assert (interrupted.kind, interrupted.stop_reason, interrupted.requires_deletion) == (
        WebhookKind.INTERRUPTED, None, False,
    )  # fmt: skip
    unknown = read_stream_webhook(body("meeting.rtms_stopped", stop_reason=77))
    assert unknown is not None
    assert (unknown.stop_reason, unknown.requires_deletion) == (77, False)


@pytest.mark.parametrize(
    "event",
    ["endpoint.url_validation", *sorted(LIMIT_EVENTS), "meeting.started", "meeting.rtms_paused", "x.rtms_started",
     "meeting.", "meeting", ""],
)  # fmt: skip
def test_other_news_are_none_of_ours(event: str) -> None:
    assert read_stream_webhook(body(event)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"meeting_uuid": None}, "no_meeting_id"), ({"meeting_uuid": ""}, "no_meeting_id"),
        ({"meeting_uuid": {"a": 1}}, "no_meeting_id"), ({"meeting_uuid": "x" * 600}, "no_meeting_id"),
        ({"rtms_stream_id": None}, "no_rtms_stream_id"), ({"server_urls": None}, "no_server_urls"),
        ({"server_urls": {"all": 5}}, "no_server_urls"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_stream_webhook(body(**changes))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("given_", "reason"), [(None, "no_event"), ({}, "no_event"), ([1], "no_event"), ({"event": 5}, "no_event"),
                           ({"event": "meeting.rtms_started"}, "no_payload"),
                           ({"event": "meeting.rtms_started", "payload": "x"}, "no_payload")],
)  # fmt: skip
def test_no_webhook_at_all(given_: Any, reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_stream_webhook(given_)
    assert caught.value.reason == reason


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.sampled_from(["meeting.rtms_started", "meeting.rtms_stopped"]),
       ANYTHING | st.dictionaries(st.sampled_from([*STARTED, "object"]), ANYTHING))  # fmt: skip
def test_whatever_comes_is_read_or_unusable(event: str, payload: Any) -> None:
    try:
        read_stream_webhook({"event": event, "payload": payload})
    except Unusable:
        pass
