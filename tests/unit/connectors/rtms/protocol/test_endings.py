"""How a stream ends: by Zoom, by us, or handed over; what is on its way is read first."""

import pytest

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import StopReason
from connectors.rtms.protocol.events import (
    SIGNALING,
    EndCause,
    FrameReceived,
    MediaReady,
    SocketLost,
    StreamEnded,
)
from connectors.rtms.protocol.life import Phase
from tests.support.zoom_conversation import MEDIA, ZOOM, Conversation


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
    assert talk.ended == StreamEnded(EndCause.CLOSED, confirmed=False)


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
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER, confirmed=False), "something may have been on its way"
    assert talk.unwanted == [MEDIA, SIGNALING]


def test_a_hand_over_on_a_socket_that_breaks_may_have_lost_something() -> None:
    talk = Conversation().connect()
    talk.stream.hand_over(talk.now)
    talk.closed(MEDIA)
    talk.closed(SIGNALING)
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER, confirmed=False)


def test_a_hand_over_that_has_read_all_media_is_whole_however_signalling_ends() -> None:
    talk = Conversation().connect()
    talk.stream.hand_over(talk.now)
    talk.closed(MEDIA, 1000)
    talk.wait(2_000)
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER)


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
    talk.closed(MEDIA, 1000)
    talk.closed(SIGNALING, 1000)
    assert talk.ended == StreamEnded(EndCause.HANDED_OVER)
