"""Conversations with Zoom: what is said on the sockets and what the owner hears."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import Medium, MessageType
from connectors.rtms.protocol.errors import LocalError
from connectors.rtms.protocol.events import (
    SIGNALING,
    CaptionReceived,
    ChatReceived,
    FirstPacketStamped,
    FrameReceived,
    FrameRejected,
    MediaReady,
    MediumRefused,
    ParticipantJoined,
    SecondRefused,
    SessionStateChanged,
    SignalingAccepted,
    SocketLost,
    SocketWanted,
    StreamEnded,
    StreamStateChanged,
    TickDue,
    ZoomEvent,
)
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.life import Phase
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.outbox import EARLY_BYTES
from connectors.rtms.protocol.parameters import EVERYTHING, AudioParameters, MediaParameters
from connectors.rtms.protocol.stream import RtmsStream
from connectors.rtms.protocol.ticks import NEVER_MS
from schemas.excerpts import excerpt_of
from tests.support.zoom_conversation import MEDIA, PARAMS, URLS, ZOOM, Conversation

SIGNATURE = "a0738c6255b66e10d2f33177841ad6a8129e9b34104d2065f0d8bd72c6bff7c7"


def test_from_the_first_word_to_the_first_frame() -> None:
    talk = Conversation().start()
    assert talk.wanted == [SocketWanted(SIGNALING, "wss://rtms.zoom.us/signaling")]
    assert talk.stream.phase is Phase.RUNNING
    talk.opened()
    assert talk.sent[-1] == (SIGNALING, {
        "msg_type": 1, "protocol_version": 1, "sequence": 1, "meeting_uuid": "meetAAA==",
        "rtms_stream_id": "stream0001", "signature": SIGNATURE, "buffer_data": True,
    })  # fmt: skip
    talk.offer()
    assert talk.events == [SignalingAccepted(tuple(EVERYTHING))]
    assert talk.wanted[-1] == SocketWanted(MEDIA, URLS["all"])
    talk.opened(MEDIA)
    asked: Any = talk.sent[-1][1]
    assert (asked["msg_type"], asked["media_type"], asked["signature"]) == (3, 31, SIGNATURE)
    assert asked["media_params"] == EVERYTHING.to_wire()
    talk.agree()
    assert talk.types_sent() == [1, 7, 5]
    subscribed: Any = talk.sent[-1][1]
    assert [entry["event_type"] for entry in subscribed["events"]] == [2, 3, 4, 5, 6, 8, 9, *range(10, 15)]
    assert talk.of(MediaReady) == [MediaReady(EVERYTHING, again=False)]
    assert talk.stream.connected_once
    talk.frame()
    assert talk.events[-1] == FrameReceived(Medium.AUDIO, 7, "Ada", ZOOM, b"pcm")


def test_what_zoom_agrees_to_counts_not_what_was_asked() -> None:
    talk = Conversation(wanted=MediaParameters(audio=AudioParameters())).start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    answer = {"audio": AudioParameters(data_opt=1, send_rate=20).to_wire()}
    talk.say(messages.media_handshake_response(media_params=answer), MEDIA)
    assert talk.of(MediaReady)[0].negotiated == MediaParameters(audio=AudioParameters(data_opt=1, send_rate=20))


def test_text_and_binary_are_the_same() -> None:
    talk = Conversation().connect()
    message = messages.keep_alive_request(ZOOM, 1)
    for data in (message, message.decode(), bytearray(message), memoryview(message)):
        talk.say(data)  # type: ignore[arg-type]
    assert talk.types_sent()[-4:] == [13, 13, 13, 13]


def test_keep_alives_are_answered_on_their_own_socket_also_before_acceptance() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.say({"msg_type": 12, "timestamp": ZOOM})
    assert talk.sent[-1] == (SIGNALING, {"msg_type": 13, "timestamp": ZOOM})
    talk.offer()
    talk.opened(MEDIA)
    talk.say({"msg_type": 12, "timestamp": ZOOM, "sequence": 17}, MEDIA)
    assert talk.sent[-1] == (MEDIA, {"msg_type": 13, "timestamp": ZOOM, "sequence": 17})
    talk.say({"msg_type": 12}, MEDIA)
    assert talk.sent[-1] == (MEDIA, {"msg_type": 13})


def test_nothing_of_the_meeting_is_heard_before_media_are_ready() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    talk.say(messages.event_update(1, ZOOM))
    talk.say("garbage")
    talk.opened(MEDIA)
    assert [type(event) for event in talk.events] == [SignalingAccepted, FrameRejected]
    talk.agree()
    assert [type(event) for event in talk.events[1:]] == [FrameRejected, MediaReady, FirstPacketStamped]
    talk.say(messages.event_update(3, ZOOM, messages.participants([(1, "Ada"), (2, "Bo")])))
    assert [event.user_name for event in talk.of(ParticipantJoined)] == ["Ada", "Bo"]


def test_of_what_is_held_back_until_then_there_is_a_bound() -> None:
    """Who never comes to media may talk all the while; who does is told the rest."""
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    event = messages.event_update(15, ZOOM, {"news": "x" * 1_000_000})
    for _ in range(20):
        talk.say(event)
    held = EARLY_BYTES // 1_000_000
    assert [rejected.reason for rejected in talk.of(FrameRejected)] == ["before_acceptance"] * (20 - held)
    talk.opened(MEDIA)
    talk.agree()
    talk.say(event)
    assert [happened.code for happened in talk.of(ZoomEvent)] == [15] * (held + 1)


@pytest.mark.parametrize("stamp", [1, 2**62])
def test_a_wrong_time_is_wrong_once_however_many_people_it_is_about(stamp: int) -> None:
    talk = Conversation().connect()
    people = messages.participants([(number, None) for number in range(1, 20_000)])
    talk.say(messages.event_update(8, stamp, people))
    assert [rejected.reason for rejected in talk.of(FrameRejected)] == ["implausible_timestamp"]
    assert talk.of(ZoomEvent) == []


def test_media_of_every_kind_and_states() -> None:
    talk = Conversation().connect()
    talk.frame(MessageType.MEDIA_DATA_VIDEO, payload=b"\x00\x00\x00\x01\x65")
    assert talk.of(FrameReceived)[-1].key_frame
    talk.say(messages.transcript_data({"user_id": 7, "timestamp": ZOOM, "data": "hi"}), MEDIA)
    assert talk.of(CaptionReceived)[-1].text == "hi"
    talk.say(messages.chat_data({"timestamp": ZOOM, "data": "hello"}), MEDIA)
    assert talk.of(ChatReceived)[-1].text == "hello"
    talk.say({"msg_type": 14, "content": "QUJD", "timestamp": str(ZOOM), "user_id": "7"}, MEDIA)
    assert talk.of(FrameReceived)[-1].payload == b"ABC"
    talk.say(messages.stream_state_update(1, ZOOM))
    talk.say(messages.session_state_update("s", 2, ZOOM))
    assert [event.code for event in talk.of(StreamStateChanged)] == [1]
    assert [event.code for event in talk.of(SessionStateChanged)] == [2]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("garbage", "not_a_json_object"),
        ('{"msg_type":14,"content":{"user_id":1', "not_a_json_object"),
        ("{}", "no_message_type"),
        ('{"msg_type":14,"content":{"timestamp":1700000000000}}', "no_payload"),
        ('{"msg_type":14,"content":{"data":"QUJD"}}', "no_timestamp"),
        ('{"msg_type":17,"content":{}}', "no_text"),
        ('{"msg_type":3}', "misplaced"),
        ("\ud800", "not_a_json_object"),
    ],
)
def test_what_cannot_be_used_is_kept_with_its_reason_and_the_stream_goes_on(message: str, reason: str) -> None:
    talk = Conversation().connect()
    talk.say(message, MEDIA)
    assert talk.events[-1] == FrameRejected(MEDIA, reason, excerpt_of(message.encode("utf-8", "surrogatepass")))
    talk.frame()
    assert isinstance(talk.events[-1], FrameReceived)
    assert message not in repr(talk.of(FrameRejected)[0])


def test_a_stamp_that_cannot_be_true_does_not_get_through() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame(timestamp_ms=ZOOM + 3_600_000)
    assert talk.of(FrameRejected)[-1].reason == "implausible_timestamp"
    talk.frame(timestamp_ms=ZOOM - 59_000)
    assert talk.of(FrameReceived)[-1].timestamp_ms == ZOOM - 59_000


@pytest.mark.parametrize("stamp", [2**62, 10**14, 4_102_444_800_000, 10**11 + 1])
def test_a_first_stamp_that_no_clock_shows_condemns_nothing_that_follows(stamp: int) -> None:
    talk = Conversation().connect()
    talk.say(messages.keep_alive_request(stamp, 1), MEDIA)
    talk.say(messages.event_update(3, stamp, messages.participants([(1, "Ada")])))
    talk.frame(timestamp_ms=stamp)
    assert [event.reason for event in talk.of(FrameRejected)] == ["implausible_timestamp"] * 2
    assert talk.of(ParticipantJoined) == []
    talk.frame()
    assert talk.of(FrameReceived)[-1].timestamp_ms == ZOOM
    talk.wait(5_000)
    assert max(tick.through_ms for tick in talk.of(TickDue)) <= talk.zoom_ms


def test_of_a_message_too_large_to_hold_an_excerpt_is_kept_and_what_is_missing_is_said() -> None:
    talk = Conversation().connect()
    whole = messages.media_data(MessageType.MEDIA_DATA_VIDEO, user_id=7, user_name="Ada", timestamp_ms=ZOOM + 5,
                                payload=bytes(400_000))  # fmt: skip
    for data, channel, medium, at_ms in (
        (whole, MEDIA, Medium.VIDEO, ZOOM + 5), (b"\xff" * 400_000, MEDIA, None, 0), (whole, SIGNALING, None, 0),
        (b'{"content":{"data":"' + b"A" * 400_000, MEDIA, None, 0),
    ):  # fmt: skip
        talk.stream.receive_oversized(channel, excerpt_of(data), talk.now)
        talk.collect()
        assert talk.events[-1] == FrameRejected(channel, "too_large", excerpt_of(data), medium, at_ms)
    talk.stream.receive_oversized("elsewhere", excerpt_of(whole), talk.now)
    talk.frame()
    assert isinstance(talk.events[-1], FrameReceived)
    assert len(talk.of(FrameRejected)) == 4


def test_media_before_acceptance_are_rejected() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.frame()
    talk.agree()
    assert [event.reason for event in talk.of(FrameRejected)] == ["before_acceptance"]
    assert talk.of(FrameReceived) == []


def test_silence_becomes_ticks_by_way_of_a_probe() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    for _ in range(30):
        talk.wait(100)
        talk.pong()
        talk.wait(0)
    assert talk.probes.count(MEDIA) == 3, "one a second serves all media"
    ticks = {tick.medium: tick.through_ms for tick in talk.of(TickDue)}
    assert ZOOM < ticks[Medium.AUDIO] < talk.zoom_ms


def test_data_of_unknown_or_unopened_sockets_are_dropped() -> None:
    talk = Conversation().start()
    talk.say("garbage", "nowhere")
    talk.say("garbage")
    talk.opened("nowhere")
    talk.closed("nowhere")
    talk.pong("nowhere")
    assert talk.events == []
    assert talk.sent == []


def test_timers_that_come_too_early_change_nothing() -> None:
    talk = Conversation().connect()
    before = len(talk.events)
    talk.stream.handle_timer(talk.now)
    talk.collect()
    assert len(talk.events) == before


def test_calls_that_make_no_sense_are_told_so() -> None:
    with pytest.raises(LocalError):
        Conversation().connect().stream.start(5)
    with pytest.raises(LocalError):
        RtmsStream(StreamParams(product="telegraph", meeting_id="m", stream_id="s", server_urls=(), client_id="c",
                                client_secret="x"))  # fmt: skip


def test_the_secret_is_not_shown() -> None:
    assert "csecret" not in repr(PARAMS)


def test_a_quiet_protocol_wants_to_be_left_alone() -> None:
    assert Conversation().stream.next_timer() == NEVER_MS


# --- anything in any order ------------------------------------------------------------------------------------------

SAYINGS = [
    messages.signaling_handshake_response(server_urls=URLS),
    messages.signaling_handshake_response(status=3),
    messages.signaling_handshake_response(status=8),
    messages.signaling_handshake_response(),
    messages.media_handshake_response(media_params={}),
    messages.media_handshake_response(status=13),
    messages.media_handshake_response(status=16),
    messages.media_handshake_response(status=20),
    b'{"msg_type":4}',
    b'{"msg_type":2}',
    messages.keep_alive_request(ZOOM, 1),
    messages.event_update(1, ZOOM),
    messages.event_update(2, ZOOM, {"user_id": 1, "user_name": "Ada"}),
    messages.event_update(3, ZOOM, messages.participants([(1, "Ada")])),
    messages.event_update(7, ZOOM),
    messages.event_update(7, ZOOM, {"media_type": 2}),
    messages.stream_state_update(1, ZOOM),
    messages.stream_state_update(4, ZOOM, reason=6),
    messages.session_state_update("s", 5, ZOOM),
    messages.stream_close_response("stream0001", ZOOM),
    messages.media_data(
        MessageType.MEDIA_DATA_AUDIO, user_id=1, user_name="Ada", timestamp_ms=ZOOM, payload=b"x" * 3000
    ),
    messages.media_data(MessageType.MEDIA_DATA_VIDEO, user_id=1, user_name="Ada", timestamp_ms=ZOOM, payload=b"x"),
    messages.transcript_data({"user_id": 1, "timestamp": ZOOM, "data": "hi"}),
    messages.chat_data({"timestamp": ZOOM, "data": "hi"}),
]
CHANNELS = st.sampled_from([SIGNALING, MEDIA, "audio", "video", "chat"])


def mangled(data: bytes, how: int, at: int) -> bytes:
    if how == 0:
        return data
    if how == 1:
        return data[: at % (len(data) + 1)]
    if how == 2:
        return data[: at % len(data)] + b"\xff" + data[at % len(data) :]
    message = json.loads(data)
    message["surprise"] = {"deep": [dict(message)]}
    return json.dumps(message).encode()


STEPS = st.one_of(
    st.tuples(st.just("say"), CHANNELS, st.sampled_from(SAYINGS), st.integers(0, 3), st.integers(0, 4000)),
    st.tuples(st.just("open"), CHANNELS),
    st.tuples(st.just("close"), CHANNELS, st.sampled_from([None, 1000, 1006])),
    st.tuples(st.just("pong"), CHANNELS),
    st.tuples(st.just("wait"), st.sampled_from([1, 50, 1_000, 3_000, 12_000, 70_000])),
    st.tuples(st.just("obey")),
    st.tuples(st.just("obey")),
    st.tuples(st.sampled_from(["end", "hand_over", "reconnect"])),
)


def obey(talk: Conversation) -> None:
    for wish in talk.wanted:
        talk.opened(wish.channel)


ACTIONS: dict[str, Callable[..., None]] = {
    "say": lambda talk, channel, data, how, at: talk.say(mangled(data, how, at), channel),
    "open": Conversation.opened,
    "close": Conversation.closed,
    "pong": Conversation.pong,
    "wait": Conversation.wait,
    "obey": obey,
    "end": lambda talk: talk.stream.close(talk.now),
    "hand_over": lambda talk: talk.stream.hand_over(talk.now),
    "reconnect": lambda talk: talk.stream.reconnect(("wss://rtms2.zoom.us",), talk.now),
}


@settings(max_examples=200, deadline=None)
@given(st.booleans(), st.lists(STEPS, max_size=40))
def test_whatever_comes_in_whatever_order_nothing_raises_and_the_end_is_the_end(
    unified: bool, steps: list[tuple[Any, ...]]
) -> None:
    talk = Conversation(policy=StreamPolicy(unified=unified)).start()
    for step in steps:
        ACTIONS[step[0]](talk, *step[1:])
        talk.collect()
    talk.stream.hand_over(talk.now)
    talk.collect()
    talk.wait(10_000)
    assert talk.ended is not None, "it always ends, with sockets that never answer too"
    assert talk.events[-1] == talk.ended
    assert talk.stream.phase is Phase.OVER
    assert talk.stream.next_timer() == NEVER_MS
    connecting = (SignalingAccepted, MediumRefused, SecondRefused, SocketLost, StreamEnded, FrameRejected)
    heard = [event for event in talk.events if not isinstance(event, connecting)]
    assert not heard or isinstance(heard[0], MediaReady)


def test_states_can_be_asked_for() -> None:
    talk = Conversation().connect()
    assert (talk.state(), talk.state(MEDIA), talk.state("elsewhere")) == (LinkState.UP, LinkState.UP, LinkState.IDLE)
