"""Meetings, webinars, Video SDK sessions, contact centers and calls: the same conversation under different names."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import CaptionReceived, FrameReceived, MediaReady
from connectors.rtms.protocol.joining import StreamParams
from connectors.rtms.protocol.messages import ID_FIELDS
from connectors.rtms.protocol.webhooks import read_stream_webhook
from tests.support.goldens import golden
from tests.support.zoom_conversation import MEDIA, Conversation

WEBHOOKS = {
    "meeting": "webhook.meeting-started", "webinar": "webhook.webinar-started", "session": "webhook.session-started",
    "contact_center": "webhook.contact-center-started", "phone": "webhook.phone-started",
}  # fmt: skip


def joined(product: str) -> Conversation:
    """From the webhook to media."""
    webhook = read_stream_webhook(golden(WEBHOOKS[product]))
    assert webhook is not None
    params = StreamParams(
        product=webhook.product, meeting_id=webhook.meeting_id, stream_id=webhook.stream_id,
        server_urls=webhook.server_urls, client_id="cid", client_secret="csecret",
    )  # fmt: skip
    return Conversation(params).connect()


@pytest.mark.parametrize("product", ID_FIELDS)
def test_from_the_webhook_to_media(product: str) -> None:
    talk = joined(product)
    assert talk.of(MediaReady)
    signature = hmac.new(b"csecret", b"cid,meetAAA==,stream0001", hashlib.sha256).hexdigest()
    for kind in (1, 3):
        (request,) = [message for _, message in talk.sent if message["msg_type"] == kind]
        assert request[ID_FIELDS[product]] == request["meeting_uuid"] == "meetAAA=="
        assert request["signature"] == signature


@pytest.mark.parametrize(("fields", "user_id", "channel_id"), [
    ({"channel_id": "c1"}, 0, "c1"), ({"channel_id": "c1", "user_id": None}, 0, "c1"), ({"user_id": "7"}, 7, None),
])  # fmt: skip
def test_audio_and_captions_of_a_channel(fields: dict[str, Any], user_id: int, channel_id: str | None) -> None:
    talk = joined("contact_center")
    for kind, data in ((14, "QUJD"), (17, "hello")):
        content = {"timestamp": talk.zoom_ms, "data": data} | fields
        talk.say(json.dumps({"msg_type": kind, "content": content}), MEDIA)
    (frame,), (caption,) = talk.of(FrameReceived), talk.of(CaptionReceived)
    assert (frame.medium, frame.user_id, frame.channel_id) == (Medium.AUDIO, user_id, channel_id)
    assert (caption.user_id, caption.channel_id) == (user_id, channel_id)
