"""Building and decoding beyond the goldens: ids of all products, echoes, and what is no message."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import MessageType
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.messages import StreamIdentity
from connectors.rtms.protocol.parameters import EVERYTHING

SIGNATURE = "a0738c6255b66e10d2f33177841ad6a8129e9b34104d2065f0d8bd72c6bff7c7"
MEETING = StreamIdentity("meeting", "meetAAA==", "stream0001", SIGNATURE)


def wire(message: bytes) -> Any:
    """The bytes as another library reads them."""
    assert b"\n" not in message
    return json.loads(message)


@pytest.mark.parametrize(
    ("product", "key"),
    [("webinar", "webinar_uuid"), ("session", "session_id"), ("contact_center", "engagement_id"), ("phone", "call_id")],
)
def test_other_products_are_named_twice(product: str, key: str) -> None:
    request = wire(messages.signaling_handshake_request(StreamIdentity(product, "id1", "s", "sig")))
    assert request[key] == request["meeting_uuid"] == "id1"
    assert messages.meeting_id_of({key: "id1"}) == "id1"


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


VALUES: dict[str, tuple[str, int]] = {
    "people": ('{"msg_type":6,"event":{"participants":[%s]}}', messages.MAX_VALUES // 2),
    "lists": ('{"msg_type":6,"event":[%s]}', messages.MAX_VALUES // 2),
    "numbers": ('{"msg_type":6,"event":[%s]}', messages.MAX_VALUES),
}
EACH = {"people": '{"user_id":1}', "lists": "[]", "numbers": "1"}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("as_text", [True, False])
def test_more_values_than_anybody_has_to_say_are_not_made(kind: str, as_text: bool) -> None:
    """A message of 24 MB that is made of empty lists would take half a gigabyte."""
    shape, count = VALUES[kind]
    many, fewer = (shape % ",".join([EACH[kind]] * number) for number in (count, count - 10))
    with pytest.raises(Unusable, match="too_many_values"):
        messages.decode(many if as_text else many.encode())
    assert messages.message_type(messages.decode(fewer if as_text else fewer.encode())) == 6


def test_however_large_a_picture_is_it_is_one_value() -> None:
    picture = messages.media_data(
        MessageType.MEDIA_DATA_SHARE, user_id=7, user_name="Ada", timestamp_ms=1, payload=bytes(20_000_000)
    )
    assert messages.message_type(messages.decode(picture)) == 16


@given(st.binary() | st.text())
def test_nothing_but_unusable_leaves_the_decoder(data: bytes | str) -> None:
    try:
        messages.decode(data)
    except Unusable:
        pass


def test_identities_keep_their_signature_to_themselves() -> None:
    assert SIGNATURE not in repr(MEETING)
    assert messages.message_type({}) == 0
