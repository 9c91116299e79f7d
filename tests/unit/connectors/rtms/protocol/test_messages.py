"""Wire goldens from Zoom's documents: what is built is what they show, and what they show is read."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import MessageType
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.messages import StreamIdentity
from connectors.rtms.protocol.parameters import EVERYTHING, AudioParameters, MediaParameters

SIGNATURE = "a0738c6255b66e10d2f33177841ad6a8129e9b34104d2065f0d8bd72c6bff7c7"
MEETING = StreamIdentity("meeting", "meetAAA==", "stream0001", SIGNATURE)


def wire(message: bytes) -> Any:
    """The bytes as another library reads them."""
    assert b"\n" not in message
    return json.loads(message)


def test_signalling_handshake() -> None:
    assert wire(messages.signaling_handshake_request(MEETING)) == {
        "msg_type": 1, "protocol_version": 1, "sequence": 1, "meeting_uuid": "meetAAA==",
        "rtms_stream_id": "stream0001", "signature": SIGNATURE, "buffer_data": True,
    }  # fmt: skip
    urls = {"audio": "wss://h/a", "all": "wss://h/x"}
    assert wire(messages.signaling_handshake_response(server_urls=urls)) == {
        "msg_type": 2, "protocol_version": 1, "sequence": 0, "status_code": 0, "reason": "",
        "media_server": {"server_urls": urls},
    }  # fmt: skip
    assert wire(messages.signaling_handshake_response(status=3, reason="bad")) == {
        "msg_type": 2, "protocol_version": 1, "sequence": 0, "status_code": 3, "reason": "bad",
    }  # fmt: skip


def test_media_handshake() -> None:
    asked = MediaParameters(audio=AudioParameters())
    request = messages.media_handshake_request(MEETING, media_type=asked.mask, media_params=asked.to_wire())
    audio = {"content_type": 2, "sample_rate": 1, "channel": 1, "codec": 1, "data_opt": 2, "send_rate": 100}
    assert wire(request) == {
        "msg_type": 3, "protocol_version": 1, "sequence": 1, "meeting_uuid": "meetAAA==",
        "rtms_stream_id": "stream0001", "signature": SIGNATURE, "media_type": 1, "payload_encryption": False,
        "media_params": {"audio": audio},
    }  # fmt: skip
    assert wire(messages.media_handshake_response(media_params=asked.to_wire())) == {
        "msg_type": 4, "protocol_version": 1, "sequence": 0, "status_code": 0, "reason": "",
        "payload_encrypted": False, "media_params": {"audio": audio},
    }  # fmt: skip
    assert "media_params" not in wire(messages.media_handshake_response(status=16, reason="again"))


@pytest.mark.parametrize(
    ("product", "key"),
    [("webinar", "webinar_uuid"), ("session", "session_id"), ("contact_center", "engagement_id"), ("phone", "call_id")],
)
def test_other_products_are_named_twice(product: str, key: str) -> None:
    request = wire(messages.signaling_handshake_request(StreamIdentity(product, "id1", "s", "sig")))
    assert request[key] == request["meeting_uuid"] == "id1"
    assert messages.meeting_id_of({key: "id1"}) == "id1"


def test_client_messages() -> None:
    assert wire(messages.event_subscription((2, 3))) == {
        "msg_type": 5, "events": [{"event_type": 2, "subscribe": True}, {"event_type": 3, "subscribe": True}],
    }  # fmt: skip
    assert wire(messages.client_ready_ack("stream0001")) == {"msg_type": 7, "rtms_stream_id": "stream0001"}
    assert wire(messages.session_state_request("sess-1")) == {"msg_type": 10, "rtms_session_id": "sess-1"}
    assert wire(messages.stream_state_request("stream0001")) == {"msg_type": 19, "rtms_stream_id": "stream0001"}
    assert wire(messages.stream_close_request("stream0001")) == {"msg_type": 21, "rtms_stream_id": "stream0001"}
    assert wire(messages.video_subscription_request(16778240, subscribe=True, timestamp_ms=5)) == {
        "msg_type": 28, "user_id": 16778240, "subscribe": True, "timestamp": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"timestamp": 1700000001234, "sequence": 17}, {"timestamp": 1700000001234, "sequence": 17}),
        ({"timestamp": 1700000001234}, {"timestamp": 1700000001234}),
        ({"timestamp": 0, "sequence": 0}, {"timestamp": 0, "sequence": 0}),
        ({"timestamp": "17", "sequence": None}, {"timestamp": 17}),
        ({"timestamp": {"deep": 1}, "sequence": 2**80}, {}),
    ],
)
def test_keep_alives_are_echoed(request_: dict[str, Any], answer: dict[str, Any]) -> None:
    assert wire(messages.keep_alive_response({"msg_type": 12, **request_})) == {"msg_type": 13, **answer}


def test_server_messages() -> None:
    assert wire(messages.event_update(2, 9, {"user_id": 1, "user_name": "Ada"})) == {
        "msg_type": 6, "event": {"event_type": 2, "timestamp": 9, "user_id": 1, "user_name": "Ada"},
    }  # fmt: skip
    assert messages.participants([(1, "Ada"), (2, None)]) == {
        "participants": [{"user_id": 1, "user_name": "Ada"}, {"user_id": 2}]
    }
    assert wire(messages.event_update(6, 9)) == {"msg_type": 6, "event": {"event_type": 6, "timestamp": 9}}
    assert wire(messages.stream_state_update(4, 9, reason=6)) == {
        "msg_type": 8, "state": 4, "reason": 6, "timestamp": 9,
    }  # fmt: skip
    assert wire(messages.session_state_update("s", 5, 9, reason=2)) == {
        "msg_type": 9, "rtms_session_id": "s", "state": 5, "timestamp": 9, "stop_reason": 2, "reason": 2,
    }  # fmt: skip
    assert wire(messages.session_state_response("s", 2, 9)) == {
        "msg_type": 11, "rtms_session_id": "s", "state": 2, "timestamp": 9,
    }  # fmt: skip
    assert wire(messages.stream_state_response("s", 1, 9)) == {
        "msg_type": 20, "rtms_stream_id": "s", "state": 1, "timestamp": 9,
    }  # fmt: skip
    assert wire(messages.keep_alive_request(9, 17)) == {"msg_type": 12, "timestamp": 9, "sequence": 17}
    assert wire(messages.keep_alive_request(9, None)) == {"msg_type": 12, "timestamp": 9}
    assert wire(messages.stream_close_response("s", 9)) == {
        "msg_type": 22, "rtms_stream_id": "s", "status_code": 0, "reason": "OK", "timestamp": 9,
    }  # fmt: skip
    assert wire(messages.video_subscription_response(1, 9, status=44, reason="again")) == {
        "msg_type": 29, "user_id": 1, "status_code": 44, "reason": "again", "timestamp": 9,
    }  # fmt: skip


def test_media_messages() -> None:
    audio = wire(
        messages.media_data(
            MessageType.MEDIA_DATA_AUDIO, user_id=0, user_name=None, timestamp_ms=9, payload=b"\x00\xff"
        )
    )
    assert audio == {"msg_type": 14, "content": {"user_id": 0, "timestamp": 9, "length": 2, "data": "AP8="}}
    video = wire(
        messages.media_data(MessageType.MEDIA_DATA_VIDEO, user_id=7, user_name="Ada", timestamp_ms=9, payload=b"x")
    )
    assert video["content"]["user_name"] == "Ada"
    assert base64.b64decode(video["content"]["data"]) == b"x"
    assert wire(messages.transcript_data({"data": "Good morning."}))["msg_type"] == 17
    assert wire(messages.chat_data({"data": "hi"})) == {"msg_type": 18, "content": {"data": "hi"}}


def test_everything_wanted_can_be_asked_for() -> None:
    request = messages.media_handshake_request(MEETING, media_type=EVERYTHING.mask, media_params=EVERYTHING.to_wire())
    assert wire(request)["media_type"] == 31


@pytest.mark.parametrize("data", ['{"msg_type":12}', b'{"msg_type":12}', bytearray(b'{"msg_type": "12"}')])
def test_text_and_binary_are_read_alike(data: Any) -> None:
    assert messages.message_type(messages.decode(data)) == 12


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "not_a_json_object"), ("[]", "not_a_json_object"), ("12", "not_a_json_object"),
        (b"\xff\xfe", "not_a_json_object"), ('{"msg_type":12', "not_a_json_object"), ("\ud800", "not_a_json_object"),
        ("[" * 100_000, "not_a_json_object"), ("{}", "no_message_type"), ('{"msg_type":null}', "no_message_type"),
        ('{"msg_type":1.5}', "no_message_type"), ('{"msg_type":{}}', "no_message_type"),
    ],
)  # fmt: skip
def test_what_is_no_message_says_why(data: Any, reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        messages.decode(data)
    assert caught.value.reason == reason


@given(st.binary() | st.text())
def test_nothing_but_unusable_leaves_the_decoder(data: bytes | str) -> None:
    try:
        messages.decode(data)
    except Unusable:
        pass


def test_identities_keep_their_signature_to_themselves() -> None:
    assert SIGNATURE not in repr(MEETING)
    assert messages.message_type({}) == 0
