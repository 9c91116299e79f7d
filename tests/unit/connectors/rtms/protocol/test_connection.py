"""The life of a connection: losses, refusals, endings, each at its time."""

import pytest

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.addresses import AddressPolicy
from connectors.rtms.protocol.codes import Medium, Status, StopReason
from connectors.rtms.protocol.events import (
    SIGNALING,
    EndCause,
    FrameReceived,
    FrameRejected,
    MediaReady,
    MediumRefused,
    ParticipantJoined,
    SignalingAccepted,
    SocketLost,
    SocketWanted,
    StreamEnded,
    TickDue,
)
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.parameters import EVERYTHING
from connectors.rtms.protocol.params import Phase, StreamParams, StreamPolicy
from tests.support.zoom_conversation import MEDIA, URLS, ZOOM, Conversation

SPLIT = StreamPolicy(unified=False)
THREE = EVERYTHING.only(frozenset({Medium.AUDIO, Medium.VIDEO, Medium.CHAT}))


def split() -> Conversation:
    """Three media sockets, wanted and not yet open."""
    talk = Conversation(wanted=THREE, policy=SPLIT).start()
    talk.opened()
    talk.offer()
    return talk


def alive(talk: Conversation, ms: int) -> None:
    """Time passes, and Zoom sends its keep-alives."""
    for _ in range(0, ms, 10_000):
        talk.wait(10_000)
        for channel in (SIGNALING, MEDIA):
            if talk.state(channel) is LinkState.UP:
                talk.keep_alive(channel)


# --- connecting -----------------------------------------------------------------------------------------------------


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


# --- one socket per medium ------------------------------------------------------------------------------------------


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
    assert talk.of(FrameRejected) == []


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


# --- refusals -------------------------------------------------------------------------------------------------------


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
    assert talk.ended == StreamEnded(EndCause.REFUSED, 8)


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
    talk.wait(2_000)
    talk.opened(MEDIA)
    talk.agree()
    assert talk.of(MediaReady)[-1].again


# --- losses ---------------------------------------------------------------------------------------------------------


def test_a_lost_media_socket_comes_back_alone() -> None:
    talk = Conversation().connect()
    talk.closed(MEDIA, 1006)
    assert talk.of(SocketLost) == [SocketLost(MEDIA, 1006, 3_000)]
    talk.wait(3_000)
    talk.opened(MEDIA)
    talk.agree()
    assert talk.types_sent() == [1, 7, 5, 7]
    assert [ready.again for ready in talk.of(MediaReady)] == [False, True]


def test_media_away_for_longer_than_the_window_end_the_stream() -> None:
    talk = Conversation().connect()
    talk.closed(MEDIA)
    while talk.ended is None:
        if talk.state(MEDIA) is LinkState.OPENING:
            talk.closed(MEDIA)
        talk.wait(1_000)
        talk.keep_alive()
        if talk.unwanted:
            talk.closed()
    assert talk.ended == StreamEnded(EndCause.WINDOW_PASSED, None, retryable=True)
    assert 60_000 <= talk.now <= 66_000


def test_lost_signalling_takes_everything_down_and_up_again() -> None:
    talk = Conversation().connect()
    talk.now = 20_000
    talk.closed(SIGNALING, 1001)
    assert talk.unwanted == [MEDIA]
    talk.frame()
    assert isinstance(talk.events[-1], FrameReceived), "what is on its way still counts"
    talk.closed(MEDIA)
    talk.wait(3_000)
    assert talk.wanted[-1].channel == SIGNALING
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.agree()
    assert talk.types_sent()[-3:] == [1, 7, 5], "subscribed again"
    talk.say(messages.event_update(3, talk.zoom_ms, messages.participants([(1, "Ada")])))
    assert talk.of(ParticipantJoined)


def test_signalling_away_for_longer_than_the_window_ends_the_stream() -> None:
    talk = Conversation().connect()
    talk.now = 20_000
    talk.closed()
    talk.wait(120_000)
    assert talk.ended == StreamEnded(EndCause.WINDOW_PASSED, None, retryable=True)


def test_a_silent_socket_is_dead_after_the_watchdogs_time() -> None:
    talk = Conversation().connect()
    alive(talk, 60_000)
    talk.wait(64_000)
    assert talk.of(SocketLost) == []
    talk.keep_alive(MEDIA)
    talk.wait(1_001)
    assert [lost.channel for lost in talk.of(SocketLost)] == [SIGNALING]


def test_three_quick_closes_mean_that_somebody_else_has_the_stream() -> None:
    talk = Conversation().connect()
    for _ in range(2):
        talk.wait(500)
        talk.closed(SIGNALING, 1000)
        talk.closed(MEDIA)
        talk.wait(3_000)
        talk.opened()
        talk.offer()
    talk.closed(SIGNALING, 1000)
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.DUPLICATE_CONNECTION, 1000)


def test_quick_closes_with_quiet_times_between_them_do_not_count() -> None:
    talk = Conversation().connect()
    for _ in range(4):
        alive(talk, 10_000)
        talk.closed()
        talk.wait(3_000)
        talk.opened()
        talk.offer()
        talk.opened(MEDIA)
        talk.agree()
    assert talk.ended is None


def test_an_interrupted_medium_that_shows_no_life_is_connected_again_at_once() -> None:
    talk = Conversation().connect()
    talk.say(messages.event_update(7, talk.zoom_ms, {"media_type": 1}))
    talk.wait(1_000)
    assert talk.unwanted == [MEDIA]
    assert talk.wanted[-1].channel == MEDIA
    talk.opened(MEDIA)
    talk.agree()
    assert talk.of(MediaReady)[-1].again
    assert talk.of(SocketLost) == []


def test_an_interrupted_medium_that_goes_on_is_left_alone() -> None:
    talk = Conversation().connect()
    talk.say(messages.event_update(7, talk.zoom_ms))
    talk.wait(500)
    talk.frame()
    talk.wait(1_500)
    assert talk.unwanted == []


def test_an_interruption_of_another_medium_concerns_nobody() -> None:
    talk = split()
    for channel in ("audio", "video"):
        talk.opened(channel)
        talk.agree(channel)
    talk.say(messages.event_update(7, talk.zoom_ms, {"media_type": 2}))
    talk.wait(1_000)
    assert talk.unwanted == ["video"]


def test_zooms_word_on_an_interruption_ends_the_waiting() -> None:
    talk = Conversation().connect()
    talk.closed(MEDIA)
    talk.say(messages.event_update(7, talk.zoom_ms))
    assert [wish.channel for wish in talk.wanted] == [SIGNALING, MEDIA, MEDIA]


def test_an_interruption_of_what_is_being_connected_changes_nothing() -> None:
    talk = Conversation().connect()
    talk.closed(MEDIA)
    talk.wait(3_000)
    before = len(talk.wanted)
    talk.say(messages.event_update(7, talk.zoom_ms))
    talk.wait(2_000)
    assert len(talk.wanted) == before
    assert talk.state(MEDIA) is LinkState.OPENING


def test_a_stream_announced_elsewhere_begins_anew_there() -> None:
    talk = Conversation().connect()
    talk.stream.reconnect(("wss://rtms2.zoom.us",), talk.now)
    talk.collect()
    assert sorted(talk.unwanted) == [MEDIA, SIGNALING]
    assert talk.wanted[-1] == SocketWanted(SIGNALING, "wss://rtms2.zoom.us")
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.agree()
    assert talk.of(MediaReady)[-1].again
    talk.terminate()
    talk.stream.reconnect(("wss://rtms3.zoom.us",), talk.now)
    talk.collect()
    assert talk.wanted[-1].channel == MEDIA, "too late"


def test_no_ticks_while_nothing_is_connected() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.wait(2_500)
    talk.closed(MEDIA)
    before = [tick for tick in talk.of(TickDue) if tick.medium is not Medium.EVENTS]
    talk.wait(2_900)
    assert [tick for tick in talk.of(TickDue) if tick.medium is not Medium.EVENTS] == before


# --- endings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "retryable"), [(6, False), (8, False), (14, True), (77, False)])
def test_zoom_ends_the_stream_and_what_is_on_its_way_is_read(reason: int, retryable: bool) -> None:
    talk = Conversation().connect()
    talk.terminate(reason)
    talk.frame()
    assert isinstance(talk.events[-1], FrameReceived)
    assert talk.unwanted == [], "Zoom closes"
    talk.closed(SIGNALING, 1000)
    assert not talk.of(StreamEnded)
    talk.frame()
    talk.closed(MEDIA, 1000)
    assert talk.ended == StreamEnded(EndCause.STOPPED, reason, retryable)
    assert talk.of(SocketLost) == []
    assert len(talk.of(FrameReceived)) == 2


def test_zoom_ends_the_stream_and_does_not_close() -> None:
    talk = Conversation().connect()
    talk.terminate()
    talk.wait(3_000)
    assert sorted(talk.unwanted) == [MEDIA, SIGNALING]
    talk.wait(1_000)
    assert talk.ended == StreamEnded(EndCause.STOPPED, 6)


def test_zoom_ends_the_stream_while_a_media_socket_is_away() -> None:
    talk = Conversation().connect()
    talk.closed(MEDIA)
    talk.terminate()
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.STOPPED, 6)
    talk.wait(30_000)
    assert len(talk.wanted) == 2, "nothing is opened after the end"


def test_deadlines_of_the_running_stream_mean_nothing_after_its_end() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    talk.wait(8_000)
    talk.terminate()
    talk.wait(2_500)
    assert talk.of(SocketLost) == []
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.STOPPED, 6)


def test_zoom_ends_the_stream_instead_of_answering() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.terminate(StopReason.AUTHENTICATION_FAILURE)
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.STOPPED, 18)


def test_answers_after_the_end_lead_to_nothing() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.terminate()
    talk.offer()
    assert len(talk.wanted) == 1
    talk.refuse(3)
    talk.say({"msg_type": 2})
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.STOPPED, 6)


def test_a_media_answer_after_the_end_leads_to_nothing() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.terminate()
    talk.agree()
    talk.terminate(7)
    assert talk.of(MediaReady) == []
    talk.closed(MEDIA)
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.STOPPED, 6)


def test_closing_asks_zoom_and_waits_for_its_answer_and_the_rest() -> None:
    talk = Conversation().connect()
    talk.stream.close(talk.now)
    talk.collect()
    assert talk.sent[-1] == (SIGNALING, {"msg_type": 21, "rtms_stream_id": "stream0001"})
    talk.frame()
    talk.say(messages.stream_close_response("stream0001", ZOOM))
    talk.terminate(20)
    talk.closed(MEDIA)
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.CLOSED, 20)
    assert talk.of(FrameReceived)


def test_closing_may_be_answered_by_the_end_itself() -> None:
    talk = Conversation().connect()
    talk.stream.close(talk.now)
    talk.terminate(20)
    talk.closed()
    talk.closed(MEDIA)
    assert talk.ended == StreamEnded(EndCause.CLOSED, 20)


def test_closing_may_be_refused() -> None:
    talk = Conversation().connect()
    talk.stream.close(talk.now)
    talk.say(messages.stream_close_response("stream0001", ZOOM, status=2, reason="no"))
    talk.wait(5_000)
    assert talk.ended == StreamEnded(EndCause.CLOSED, 2, confirmed=False)


def test_closing_does_not_wait_for_ever() -> None:
    talk = Conversation().connect()
    talk.stream.close(talk.now)
    talk.stream.close(talk.now)
    talk.wait(6_000)
    assert talk.ended == StreamEnded(EndCause.CLOSED, confirmed=False)
    assert talk.types_sent().count(21) == 1


def test_closing_while_signalling_breaks() -> None:
    talk = Conversation().connect()
    talk.stream.close(talk.now)
    talk.closed()
    talk.closed(MEDIA)
    assert talk.ended == StreamEnded(EndCause.CLOSED, confirmed=False)


def test_closing_what_is_not_connected() -> None:
    talk = Conversation().start()
    talk.stream.close(talk.now)
    talk.collect()
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.CLOSED, confirmed=False)
    fresh = Conversation()
    fresh.stream.close(0)
    fresh.collect()
    assert fresh.ended == StreamEnded(EndCause.CLOSED, confirmed=False)
    fresh.stream.close(0)
    fresh.stream.hand_over(0)
    fresh.collect()
    assert len(fresh.of(StreamEnded)) == 1


def test_an_unasked_answer_to_closing_means_nothing() -> None:
    talk = Conversation().connect()
    talk.say(messages.stream_close_response("stream0001", ZOOM))
    assert talk.stream.phase is Phase.RUNNING


def test_a_hand_over_reads_media_to_the_end_before_it_lets_signalling_go() -> None:
    talk = Conversation().connect()
    talk.stream.hand_over(talk.now)
    talk.collect()
    assert talk.unwanted == [MEDIA]
    talk.frame()
    assert isinstance(talk.events[-1], FrameReceived)
    sent = len(talk.sent)
    talk.keep_alive(MEDIA)
    assert len(talk.sent) == sent, "nothing is said on a closing socket"
    talk.closed(MEDIA, 1000)
    assert talk.unwanted == [MEDIA, SIGNALING]
    assert not talk.of(StreamEnded)
    talk.closed(SIGNALING, 1000)
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER)
    assert 21 not in talk.types_sent()


def test_a_hand_over_is_done_within_two_seconds_whatever_the_peer_does() -> None:
    talk = Conversation().connect()
    talk.stream.hand_over(talk.now)
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER)
    assert talk.unwanted == [MEDIA, SIGNALING]


def test_a_hand_over_while_waiting_to_connect_is_immediate() -> None:
    talk = Conversation().connect()
    talk.closed(MEDIA)
    talk.stream.hand_over(talk.now)
    talk.collect()
    assert talk.unwanted == [SIGNALING]
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER)


def test_a_hand_over_overtakes_a_close() -> None:
    talk = Conversation().connect()
    talk.stream.close(talk.now)
    talk.stream.hand_over(talk.now)
    talk.say(messages.stream_close_response("stream0001", ZOOM))
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER)
