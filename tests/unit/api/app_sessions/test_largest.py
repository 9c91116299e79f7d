"""The largest request that is taken is a fact that is folded: a larger one would hold a place, and be no session."""

from typing import Any

import pytest

from api.app_sessions.commands import requested
from api.app_sessions.requests import session_order
from api.errors import ApiError
from connectors.rtms.protocol.addresses import AddressPolicy
from processors.lifecycle.service import MAX_FACT_BYTES
from schemas import topics
from schemas.codec import Codec
from schemas.triggers import Trigger

WIDE = "\U0001f600"
URLS = [f"wss://rtms.zoom.us/{number:02}{'x' * 491}" for number in range(16)]
STREAM = {"meeting_uuid": WIDE * 512, "rtms_stream_id": WIDE * 512, "server_urls": URLS, "operator_id": WIDE * 512}
TRIGGERS = [str(trigger) for trigger in Trigger]
LARGEST: dict[str, Any] = {
    "zoom_rtms": STREAM,
    "deduplication_key": WIDE * 1024,
    "metadata": {"a": WIDE * 990},
    "webhooks": [{"url": f"https://a.example/{letter * 2020}", "triggers": TRIGGERS} for letter in "ab"],
    "external_media_storage_settings": {"bucket_name": "b" * 255, "recording_file_name": "\\" * 1024},
    "transcription_settings": {"custom_async": {"a": "\x01" * 1350}},
}


def order(body: dict[str, Any]) -> Any:
    return session_order(body, AddressPolicy(("*.zoom.us",)))


def test_the_largest_request_is_a_fact_that_is_folded() -> None:
    fact = requested("p" * 21, "app_1", order(LARGEST), "z" * 20)
    codec = Codec({topic.name: number for number, topic in enumerate(topics.ALL, 1)})
    assert MAX_FACT_BYTES // 2 < len(codec.encode(topics.SESSION_FACTS, fact)) < MAX_FACT_BYTES


@pytest.mark.parametrize("name", ["meeting_uuid", "rtms_stream_id", "operator_id"])
def test_no_word_of_a_stream_is_longer(name: str) -> None:
    with pytest.raises(ApiError) as refused:
        order({"zoom_rtms": STREAM | {name: "x" * 513}})
    assert refused.value.status == 400
    assert "is too long" in refused.value.body["zoom_rtms"][0]


def test_an_operator_may_be_nobody() -> None:
    assert order({"zoom_rtms": STREAM | {"operator_id": ""}}).stream.operator_id == ""
