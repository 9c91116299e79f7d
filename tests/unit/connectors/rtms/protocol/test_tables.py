"""The tables are total: every message that has a number means something in every state that has a socket."""

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol import media, signaling
from connectors.rtms.protocol.codes import Medium, MessageType
from connectors.rtms.protocol.errors import Refused, RemoteError, Unusable
from connectors.rtms.protocol.events import CaptionReceived, ChatReceived, FrameReceived
from connectors.rtms.protocol.happenings import Context
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.signaling import CameraAnswered, CloseAnswered, KeepAlive, Offer

CONTEXT = Context("meeting", 1_700_000_000_000)
READING = (LinkState.GREETING, LinkState.UP, LinkState.DRAINING)
TABLES = pytest.mark.parametrize("module", [signaling, media])


@TABLES
@pytest.mark.parametrize("state", READING)
@pytest.mark.parametrize("kind", list(MessageType))
def test_every_pair_is_in_the_table_or_in_one_of_the_explicit_sets(
    module: ModuleType, state: LinkState, kind: MessageType
) -> None:
    in_table = kind in module.TABLE[state]
    assert in_table or (kind in module.IGNORED) != (kind in module.MISPLACED)
    if not in_table and kind in module.MISPLACED:
        with pytest.raises(Unusable, match="misplaced"):
            module.read(state, {"msg_type": int(kind)}, CONTEXT)
    elif not in_table:
        assert module.read(state, {"msg_type": int(kind)}, CONTEXT) == []


@TABLES
def test_the_sets_do_not_overlap_and_the_table_has_no_other_states(module: ModuleType) -> None:
    assert not module.IGNORED & module.MISPLACED
    assert set(module.TABLE) == set(READING)


@TABLES
def test_numbers_without_a_name_and_states_without_a_socket_say_nothing(module: ModuleType) -> None:
    assert module.read(LinkState.UP, {"msg_type": 4711}, CONTEXT) == []
    assert module.read(LinkState.WAITING, {"msg_type": 12}, CONTEXT) == []


@TABLES
@given(
    state=st.sampled_from(READING),
    kind=st.integers(0, 31),
    fields=st.dictionaries(
        st.sampled_from(["content", "event", "media_server", "status_code", "reason", "timestamp", "state"]),
        st.none() | st.integers() | st.text(max_size=3) | st.dictionaries(st.text(max_size=3), st.integers()),
    ),
)
def test_whatever_comes_is_read_or_raises_what_is_documented(
    module: ModuleType, state: LinkState, kind: int, fields: dict[str, Any]
) -> None:
    try:
        module.read(state, {"msg_type": kind} | fields, CONTEXT)
    except (Refused, RemoteError, Unusable):
        pass


# --- signalling -----------------------------------------------------------------------------------------------------


def offer(server_urls: Any, **changes: Any) -> Any:
    message = {"msg_type": 2, "status_code": 0, "media_server": {"server_urls": server_urls}} | changes
    return signaling.read(LinkState.GREETING, message, CONTEXT)


def test_an_offer_by_medium() -> None:
    urls = {"audio": "wss://a", "deskshare": "wss://s", "transcript": "wss://t", "all": "wss://x,wss://y", "new": "z"}
    assert offer(urls) == [
        Offer(
            {Medium.AUDIO: ("wss://a",), Medium.SHARE: ("wss://s",), Medium.CAPTIONS: ("wss://t",)},
            ("wss://x", "wss://y"),
        )
    ]


@pytest.mark.parametrize("name", ["deskshare", "share", "screenshare"])
def test_share_has_three_names(name: str) -> None:
    assert offer({name: "wss://s"}) == [Offer({Medium.SHARE: ("wss://s",)}, ())]


def test_a_bare_address() -> None:
    assert offer("wss://x") == [Offer({}, ("wss://x",))]


@pytest.mark.parametrize("server_urls", [None, {}, [], {"audio": 5}, ""])
def test_an_offer_of_nothing_is_no_offer(server_urls: Any) -> None:
    with pytest.raises(RemoteError, match="no_media_urls"):
        offer(server_urls)


def test_a_refusal_carries_status_and_reason() -> None:
    with pytest.raises(Refused) as caught:
        offer(None, status_code="3", reason="x" * 500)
    assert (caught.value.code, len(caught.value.reason)) == (3, 200)
    with pytest.raises(Refused) as caught:
        offer(None, status_code=3)
    assert caught.value.reason == ""


def test_an_answer_without_status_breaks_the_protocol() -> None:
    with pytest.raises(RemoteError, match="no_status_code"):
        offer({}, status_code=None)


def test_keep_alives_and_close_answers() -> None:
    read = signaling.read(LinkState.UP, {"msg_type": 12, "timestamp": 1_700_000_000_000, "sequence": 4}, CONTEXT)
    assert read == [KeepAlive(b'{"msg_type":13,"timestamp":1700000000000,"sequence":4}', 1_700_000_000_000)]
    assert media.read(LinkState.UP, {"msg_type": 12}, CONTEXT) == [KeepAlive(b'{"msg_type":13}', None)]
    for state in (LinkState.UP, LinkState.DRAINING):
        assert signaling.read(state, {"msg_type": 22, "status_code": 2}, CONTEXT) == [CloseAnswered(2)]
    for kind in (22, 29):
        assert signaling.read(LinkState.GREETING, {"msg_type": kind}, CONTEXT) == []


def test_answers_about_a_camera() -> None:
    for answer, expected in (({"user_id": "7", "status_code": 44}, (7, 44)), ({}, (0, 0))):
        assert signaling.read(LinkState.UP, {"msg_type": 29} | answer, CONTEXT) == [CameraAnswered(*expected)]
    with pytest.raises(Unusable, match="bad_user_id"):
        signaling.read(LinkState.UP, {"msg_type": 29, "user_id": "Ada"}, CONTEXT)


# --- media ----------------------------------------------------------------------------------------------------------


def test_media_before_acceptance_are_unusable() -> None:
    for kind in range(14, 19):
        with pytest.raises(Unusable, match="before_acceptance"):
            media.read(LinkState.GREETING, {"msg_type": kind, "content": {}}, CONTEXT)


def test_media_of_every_kind() -> None:
    content = {"user_id": 1, "timestamp": 1_700_000_000_000, "data": "QUJD"}
    kinds = [
        type(media.read(LinkState.UP, {"msg_type": kind, "content": content}, CONTEXT)[0]) for kind in range(14, 19)
    ]
    assert kinds == [FrameReceived] * 3 + [CaptionReceived, ChatReceived]


def test_an_agreement() -> None:
    accepted = media.read(LinkState.GREETING, {"msg_type": 4, "status_code": 0, "media_params": {"audio": {}}}, CONTEXT)
    assert accepted == [media.Agreed({"audio": {}})]
    with pytest.raises(Refused):
        media.read(LinkState.GREETING, {"msg_type": 4, "status_code": 16}, CONTEXT)
    assert media.read(LinkState.UP, {"msg_type": 4, "status_code": 16}, CONTEXT) == []
