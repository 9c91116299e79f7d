"""Getting connected: addresses, answers that do not come, one socket per medium, refusals."""

import pytest

from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.codes import Medium, Status
from connectors.rtms.protocol.events import (
    SIGNALING,
    EndCause,
    FrameReceived,
    FrameRejected,
    MediaReady,
    MediumRefused,
    SecondRefused,
    SignalingAccepted,
    SocketLost,
    SocketWanted,
    StreamEnded,
)
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.life import Phase
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.parameters import EVERYTHING
from tests.support.zoom_conversation import MEDIA, THREE, URLS, Conversation, split


def test_an_unreachable_zoom_is_tried_to_the_end_of_the_window() -> None:
    talk = Conversation().start()
    attempts = [0]
    while talk.ended is None:
        if talk.state() is LinkState.OPENING:
            talk.closed()
        else:
            before = len(talk.wanted)
            while len(talk.wanted) == before and talk.ended is None:
                talk.wait(500)
            attempts.append(talk.now)
    assert attempts == [0, 3_000, 9_000, 21_000, 45_000, 59_000]
    assert talk.ended == StreamEnded(EndCause.UNREACHABLE, None, retryable=True)


def test_a_zoom_that_hangs_up_on_the_handshake_is_not_called_unreachable() -> None:
    talk = Conversation().start()
    while talk.ended is None:
        talk.opened()
        talk.closed(SIGNALING, 1000)
        talk.wait(500)
    assert talk.ended == StreamEnded(EndCause.UNANSWERED, None, retryable=True)


def test_several_addresses_take_turns() -> None:
    urls = ("wss://a.zoom.us", "wss://b.zoom.us")
    params = StreamParams(
        product="webinar", meeting_id="w", stream_id="s", server_urls=urls, client_id="c", client_secret="x"
    )
    talk = Conversation(params).start()
    for _ in range(2):
        talk.closed()
        talk.wait(6_000)
    assert [wish.url for wish in talk.wanted] == [urls[0], urls[1], urls[0]]


def test_addresses_that_are_not_allowed_are_never_wished_for() -> None:
    params = StreamParams(
        product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://evil.com", "ws://rtms.zoom.us"),
        client_id="c", client_secret="x",
    )  # fmt: skip
    talk = Conversation(params).start()
    assert talk.wanted == []
    assert talk.ended == StreamEnded(EndCause.FORBIDDEN_ADDRESS)
    talk = Conversation(policy=StreamPolicy(addresses=AddressPolicy(()))).start()
    assert talk.ended == StreamEnded(EndCause.FORBIDDEN_ADDRESS)


def test_no_answer_to_the_handshake_is_a_loss() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.wait(9_999)
    assert talk.of(SocketLost) == []
    talk.wait(1)
    assert talk.of(SocketLost) == [SocketLost(SIGNALING, None, 3_000)]
    assert talk.unwanted == [SIGNALING]
    talk.closed()
    talk.wait(3_000)
    assert len(talk.wanted) == 2


def test_a_socket_that_does_not_open_is_a_loss_too() -> None:
    talk = Conversation().start()
    talk.wait(10_000)
    assert talk.of(SocketLost) == [SocketLost(SIGNALING, None, 3_000)]


@pytest.mark.parametrize("answer", [{"msg_type": 2}, {"msg_type": 2, "status_code": 0}])
def test_an_answer_that_makes_no_sense_is_a_loss(answer: dict[str, int]) -> None:
    talk = Conversation().start()
    talk.opened()
    talk.say(answer)
    assert talk.of(SocketLost) == [SocketLost(SIGNALING, None, 3_000)]


def test_a_media_answer_that_makes_no_sense_loses_the_media_socket_alone() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.say({"msg_type": 4}, MEDIA)
    assert talk.of(SocketLost) == [SocketLost(MEDIA, None, 3_000)]
    assert talk.state() is LinkState.UP


def test_an_offer_of_nothing_that_is_wanted_ends_the_stream() -> None:
    talk = Conversation(wanted=EVERYTHING.only(frozenset({Medium.CHAT}))).start()
    talk.opened()
    talk.offer({"audio": URLS["audio"]})
    assert talk.of(SignalingAccepted) == [SignalingAccepted(())]
    assert talk.unwanted == [SIGNALING]
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.NOTHING_OFFERED)


# --- one socket per medium --------------------------------------------------------------------------------------------


def test_split_sockets_are_acknowledged_once_when_all_have_answered() -> None:
    talk = split()
    assert [(wish.channel, wish.url) for wish in talk.wanted[1:]] == [
        ("audio", URLS["audio"]), ("video", URLS["video"]), ("chat", URLS["chat"]),
    ]  # fmt: skip
    for channel in ("audio", "video", "chat"):
        talk.opened(channel)
        assert talk.sent[-1][1]["media_type"] == {"audio": 1, "video": 2, "chat": 16}[channel]
    for channel in ("audio", "video"):
        talk.agree(channel)
        assert talk.of(MediaReady) == []
    talk.agree("chat")
    assert talk.of(MediaReady) == [MediaReady(THREE, again=False)]
    assert talk.types_sent() == [1, 7, 5]


def test_a_split_socket_that_fails_first_is_not_waited_for_and_acknowledged_later() -> None:
    talk = split()
    for channel in ("audio", "video"):
        talk.opened(channel)
        talk.agree(channel)
    talk.closed("chat")
    assert talk.of(MediaReady) == []
    talk.wait(3_000)
    talk.opened("chat")
    talk.agree("chat")
    assert [list(ready.negotiated) for ready in talk.of(MediaReady)] == [list(THREE)]


def test_media_that_flow_before_the_others_are_settled_are_not_lost() -> None:
    talk = split()
    talk.opened("audio")
    talk.agree("audio")
    talk.frame(channel="audio")
    assert [type(event) for event in talk.events] == [SignalingAccepted, MediaReady, FrameReceived]
    assert talk.types_sent() == [1, 7, 5]
    talk.opened("video")
    talk.agree("video")
    talk.opened("chat")
    talk.agree("chat")
    assert [ready.again for ready in talk.of(MediaReady)] == [False, True]
    assert talk.types_sent() == [1, 7, 5, 7], "acknowledged again, subscribed once"


def test_a_frame_on_a_socket_already_given_up_before_media_were_ready() -> None:
    talk = split()
    talk.opened("audio")
    talk.agree("audio")
    talk.closed(SIGNALING)
    talk.frame(channel="audio")
    assert talk.of(FrameReceived) == []
    assert [event.reason for event in talk.of(FrameRejected)] == ["before_acceptance"]


def test_one_split_socket_lost_leaves_the_others_alone() -> None:
    talk = split()
    for channel in ("audio", "video", "chat"):
        talk.opened(channel)
        talk.agree(channel)
    talk.closed("video", 1006)
    talk.frame(channel="audio")
    assert isinstance(talk.events[-1], FrameReceived)
    talk.wait(3_000)
    assert talk.wanted[-1].channel == "video"
    talk.opened("video")
    talk.agree("video")
    assert talk.of(MediaReady)[-1] == MediaReady(THREE, again=True)


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [2, 3, 4, 45 + 100])
def test_a_refusal_at_the_door_ends_the_stream_with_its_status(status: int) -> None:
    talk = Conversation().start()
    talk.opened()
    talk.refuse(status)
    assert not talk.of(StreamEnded), "not before the socket is closed"
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.REFUSED, status)


def test_a_refusal_ends_also_if_the_socket_never_closes() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.refuse(3)
    talk.wait(1_000)
    assert talk.ended == StreamEnded(EndCause.REFUSED, 3)


def test_a_stream_that_zoom_no_longer_knows_is_gone() -> None:
    talk = Conversation().connect()
    talk.closed(SIGNALING, 1006)
    talk.wait(3_000)
    talk.opened()
    talk.refuse(Status.INVALID_RTMS_STREAM_ID)
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.GONE, 2)


def test_duplicates_are_asked_again_until_the_window_is_over() -> None:
    talk = Conversation().start()
    asked = []
    while talk.ended is None:
        if talk.state() is LinkState.OPENING:
            asked.append(talk.now)
            talk.opened()
            talk.refuse(Status.DUPLICATE_SIGNAL_REQUEST)
            talk.closed()
        talk.wait(100)
    assert asked[:4] == [0, 1_500, 3_500, 6_000]
    assert asked[-1] == 59_000
    assert talk.of(SecondRefused) == [SecondRefused(SIGNALING)] * len(asked), "it is said each time"
    assert talk.ended == StreamEnded(EndCause.REFUSED, 8)


def test_another_refusal_is_not_about_a_second_connection() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.refuse(Status.INTERNAL_EXCEPTION)
    assert talk.of(SocketLost)
    assert talk.of(SecondRefused) == []


def test_a_medium_without_scope_is_done_without_on_one_socket() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer({"all": URLS["all"]})
    talk.opened(MEDIA)
    talk.refuse(Status.MEDIA_TYPE_CHAT_NOT_SUPPORT, MEDIA)
    assert talk.of(MediumRefused) == [MediumRefused(Medium.CHAT, 13)]
    assert talk.wanted[-1] == SocketWanted(MEDIA, URLS["all"])
    talk.opened(MEDIA)
    assert talk.sent[-1][1]["media_type"] == 15
    talk.agree()
    assert Medium.CHAT not in list(talk.of(MediaReady)[0].negotiated)


def test_a_medium_without_scope_is_done_without_on_its_own_socket() -> None:
    talk = split()
    for channel in ("audio", "video"):
        talk.opened(channel)
        talk.agree(channel)
    talk.opened("chat")
    talk.refuse(Status.MEDIA_TYPE_CHAT_NOT_SUPPORT, "chat")
    assert list(talk.of(MediaReady)[0].negotiated) == [Medium.AUDIO, Medium.VIDEO]
    assert talk.unwanted == ["chat"]
    talk.closed("chat")
    assert talk.stream.phase is Phase.RUNNING


def test_without_any_medium_left_the_stream_is_refused() -> None:
    talk = Conversation(wanted=EVERYTHING.only(frozenset({Medium.CHAT}))).start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.refuse(13, MEDIA)
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.REFUSED, 13)


def test_wrong_parameters_for_audio_are_somebodys_mistake() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.refuse(Status.INVALID_MEDIA_AUDIO_SAMPLE_RATE, MEDIA)
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.REFUSED, 20)


def test_a_duplicate_media_connection_is_tried_again() -> None:
    talk = Conversation().connect()
    talk.closed(MEDIA)
    talk.wait(3_000)
    talk.opened(MEDIA)
    talk.refuse(Status.DUPLICATE_MEDIA_DATA_CONNECTION, MEDIA)
    assert talk.of(SocketLost)[-1] == SocketLost(MEDIA, None, 2_000)
    assert talk.of(SecondRefused) == [SecondRefused(MEDIA)]
    talk.wait(2_000)
    talk.opened(MEDIA)
    talk.agree()
    assert talk.of(MediaReady)[-1].again
