"""The fast way of reading frames, held to the plain one."""

import base64
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import Medium, MessageType
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.events import FrameReceived
from connectors.rtms.protocol.fields import LONGEST_NAME
from connectors.rtms.protocol.frames import read_frame, read_frame_plain

T = 1_700_000_001_000
IDR = b"\x00\x00\x00\x01\x65" + bytes(range(256)) * 20


def plain(data: bytes) -> FrameReceived | None:
    """What the plain way makes of it; None: no frame."""
    try:
        message = messages.decode(data)
        return read_frame_plain(message) if 14 <= messages.message_type(message) <= 16 else None
    except Unusable:
        return None


def built(payload: bytes, msg_type: int = 14, **changes: Any) -> bytes:
    content = {"user_id": 7, "user_name": "Ada", "timestamp": T, "data": base64.b64encode(payload).decode()} | changes
    return json.dumps({"msg_type": msg_type, "content": content}, separators=(",", ":")).encode()


@pytest.mark.parametrize("size", [1, 640, 3_200, 20_000, 1_000_000])
@pytest.mark.parametrize("number", [14, 15, 16])
def test_what_is_sent_is_read(size: int, number: int) -> None:
    payload = (IDR * (size // len(IDR) + 1))[:size]
    data = messages.media_data(MessageType(number), user_id=7, user_name="Ada", timestamp_ms=T, payload=payload)
    frame = read_frame(data)
    assert frame is not None
    assert (frame.user_id, frame.user_name, frame.timestamp_ms, frame.payload) == (7, "Ada", T, payload)
    assert frame.medium == (Medium.AUDIO, Medium.VIDEO, Medium.SHARE)[number - 14]
    assert frame.key_frame is (number != 14 and size > 4)
    assert plain(data) == frame


PADDING: Any = {"zzz": "y" * 3000}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(json.dumps(json.loads(built(IDR))).encode(), id="spaces"),
        pytest.param(json.dumps(json.loads(built(IDR)), indent="\t", sort_keys=True).encode(), id="pretty and sorted"),
        pytest.param(b'{"content":' + json.dumps(json.loads(built(IDR))["content"]).encode() + b',"msg_type":15}',
                     id="type last"),
        pytest.param(built(IDR, user_name='quo"te \\ "data":" and Ünïcode'), id="a name that looks like the mark"),
        pytest.param(built(IDR, user_name="n" * 600), id="a name longer than the header"),
        pytest.param(built(IDR).replace(b"/", b"\\/"), id="escaped slashes"),
        pytest.param(built(IDR, length=len(IDR), more={"data": "x"}), id="a second data key behind"),
        pytest.param(built(IDR).replace(b'"user_id"', b'"more":{"data":"QUJD"},"user_id"'), id="one in front"),
        pytest.param(built(IDR)[:-2] + b',"data":"QUJD"}}', id="two data keys"),
        pytest.param(built(IDR)[:-2] + b',"data":""}}', id="the second one empty"),
        pytest.param(built(IDR, user_id="16778240"), id="id as text"),
        pytest.param(built(IDR, user_id=None), id="no id"),
        pytest.param(built(IDR, user_id=2**40), id="a huge id"),
        pytest.param(built(IDR, channel_id="c1"), id="contact center"),
        pytest.param(built(IDR, timestamp=T * 1000), id="microseconds"),
        pytest.param(built(IDR, timestamp=T // 1000), id="seconds"),
        pytest.param(built(IDR, timestamp=str(T)), id="time as text"),
        pytest.param(built(IDR, user_name=5), id="a number for a name"),
        pytest.param(built(IDR, user_name="A" * LONGEST_NAME, channel_id="c" * LONGEST_NAME), id="long names"),
        pytest.param(built(IDR, user_name="A" * 100_000), id="a name without end"),
        pytest.param(built(IDR, data="data:image/png;base64," + base64.b64encode(IDR).decode()), id="data URI"),
        pytest.param(json.dumps({"msg_type": 14, "content": base64.b64encode(IDR).decode(), "timestamp": T,
                                 "user_id": 7}).encode(), id="bare content"),
        pytest.param(built(b"x", **PADDING), id="small payload in a large message"),
        pytest.param(built(b"x"), id="small"),
        pytest.param(b'{"msg_type":"14",' + built(IDR)[15:], id="type as text"),
    ],
)  # fmt: skip
def test_unusual_shapes_are_frames_all_the_same(data: bytes) -> None:
    expected = plain(data)
    if b'"data":""' not in data:
        assert expected is not None
    assert read_frame(data) in (expected, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": ""}, "no_payload"), ({"data": None}, "no_payload"), ({"data": 5}, "no_payload"),
        ({"data": "%%%%"}, "bad_base64"), ({"data": "QUI"}, "bad_base64"), ({"data": "data:image/png"}, "no_payload"),
        ({"data": "ÄÖÜ"}, "bad_base64"), ({"timestamp": None}, "no_timestamp"), ({"timestamp": 0}, "no_timestamp"),
        ({"timestamp": "now"}, "no_timestamp"), ({"user_id": "Ada"}, "bad_user_id"), ({"user_id": -1}, "bad_user_id"),
        ({"user_id": 1.5}, "bad_user_id"), ({"user_id": 2**70}, "bad_user_id"),
        ({"channel_id": "c" * (LONGEST_NAME + 1)}, "bad_channel_id"),
    ],
)  # fmt: skip
def test_what_is_no_frame_says_why(changes: dict[str, Any], reason: str) -> None:
    data = built(b"abc", **changes)
    assert read_frame(data) is None
    with pytest.raises(Unusable) as caught:
        read_frame_plain(messages.decode(data))
    assert caught.value.reason == reason


def test_of_a_name_without_end_there_is_the_beginning() -> None:
    frame = plain(built(IDR, user_name="A" * 1_000_000))
    assert frame is not None
    assert frame.user_name == "A" * LONGEST_NAME


def test_large_frames_with_bad_base64_are_declined() -> None:
    data = built(IDR).replace(b'"data":"AAAA', b'"data":"%AAA')
    assert read_frame(data) is None
    assert plain(data) is None


def test_other_messages_are_declined() -> None:
    for data in (b"", b"{", b"{}", b'{"msg_type":12,"timestamp":5}', built(b"text", 17), built(IDR, 17), b"x" * 5000):
        assert read_frame(data) is None
    assert read_frame(b'{"msg_type":14}') is None
    assert read_frame(built(b"", **PADDING)) is None
    assert read_frame(b'{"msg_type":14,"content":null,"more":{"data":"' + b"A" * 4000 + b'"}}') is None


CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "user_id": st.integers(-2, 2**33) | st.integers().map(str) | st.none(),
        "user_name": st.text(max_size=20) | st.none() | st.integers(),
        "channel_id": st.text(max_size=5) | st.none(),
        "timestamp": st.integers(-1, 10**16) | st.integers(T - 10, T + 10).map(str) | st.none() | st.floats(),
        "length": st.integers() | st.text(max_size=3),
        "data": st.binary(max_size=4000).map(lambda raw: base64.b64encode(raw).decode()) | st.text() | st.none(),
        "more": st.dictionaries(st.sampled_from(["data", "user_id", "x"]), st.text(max_size=3)),
    },
)
NUMBERS = st.integers(13, 18) | st.sampled_from(["14", "15", None])


@settings(max_examples=300)
@given(NUMBERS, CONTENT, st.booleans(), st.sampled_from([None, 1]))
def test_both_ways_agree_on_whatever_zoom_may_send(number: Any, content: Any, first: bool, indent: int | None) -> None:
    ordered = {"msg_type": number, "content": content} if first else {"content": content, "msg_type": number}
    separators = (",", ": ") if indent else (",", ":")
    message = json.dumps(ordered, indent=indent, separators=separators).encode("utf-8", "surrogatepass")
    assert read_frame(message) in (plain(message), None)


@settings(max_examples=300)
@given(st.data())
def test_both_ways_agree_on_damaged_messages(data: st.DataObject) -> None:
    whole = built(data.draw(st.binary(min_size=1, max_size=3000)), data.draw(st.integers(13, 17)))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 5)))
    message = whole[:start] + data.draw(st.binary(max_size=4)) + whole[end:]
    assert read_frame(message) in (plain(message), None)


@given(st.binary(max_size=100))
@example(b'{"msg_type":14,"content":{"data":"')
def test_nothing_raises(data: bytes) -> None:
    read_frame(data)
    read_frame(data + b" " * 3000)


def test_frames_do_not_show_their_payload() -> None:
    frame = read_frame(built(b"secret words"))
    assert frame is not None
    assert "Ada" not in repr(frame)
    assert "secret" not in repr(frame)
    assert repr(frame) == f"FrameReceived(audio, {T}, 12 bytes)"
