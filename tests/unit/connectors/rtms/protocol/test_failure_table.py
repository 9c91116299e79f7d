"""The failure table of the protocol reference, row by row, and the clocks that go with it."""

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import (
    SIGNALING,
    EndCause,
    FrameReceived,
    MediaReady,
    SessionStateChanged,
    SocketLost,
    SocketWanted,
    StreamEnded,
    StreamStateChanged,
    TickDue,
)
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.parameters import AudioParameters, MediaParameters
from tests.support.zoom_conversation import MEDIA, URLS, ZOOM, Conversation


def connected_again(talk: Conversation) -> None:
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.agree()


def test_row_1_zooms_server_failed_everything_is_redone_at_the_new_address() -> None:
    talk = Conversation().connect()
    talk.stream.reconnect(("wss://rtms2.zoom.us",), talk.now)
    talk.collect()
    connected_again(talk)
    assert talk.wanted[-2:] == [SocketWanted(SIGNALING, "wss://rtms2.zoom.us"), SocketWanted(MEDIA, URLS["all"])]
    assert talk.types_sent() == [1, 7, 5, 1, 7, 5]
    assert talk.of(SocketLost) == []


def test_row_2_signalling_broke_handshakes_ack_and_subscriptions_are_redone_within_60_s() -> None:
    talk = Conversation().connect()
    talk.closed(SIGNALING, 1006)
    talk.closed(MEDIA, 1006)
    opened_at = []
    while talk.ended is None and talk.now < 55_000:
        talk.wait(500)
        if talk.state() is LinkState.OPENING:
            opened_at.append(talk.now)
            if len(opened_at) < 4:
                talk.closed()
            else:
                connected_again(talk)
                break
    assert opened_at == [3_000, 9_000, 21_000, 45_000]
    assert talk.types_sent() == [1, 7, 5, 1, 7, 5]


def test_row_3_one_media_socket_broke_only_it_is_redone_and_acknowledged() -> None:
    talk = Conversation().connect()
    talk.say(messages.event_update(7, talk.zoom_ms, {"media_type": 1}))
    talk.say(messages.stream_state_update(2, talk.zoom_ms, reason=14))
    talk.closed(MEDIA, 1006)
    talk.wait(3_000)
    talk.opened(MEDIA)
    talk.agree()
    assert talk.types_sent() == [1, 7, 5, 7]
    assert talk.types_sent(MEDIA) == [3, 3]
    assert [wish.channel for wish in talk.wanted].count(SIGNALING) == 1


def test_row_4_given_up_only_a_new_start_helps() -> None:
    talk = Conversation().connect()
    talk.terminate(19)
    talk.wait(10_000)
    assert talk.ended == StreamEnded(EndCause.STOPPED, 19, retryable=True)
    wishes = len(talk.wanted)
    talk.stream.reconnect(("wss://rtms2.zoom.us",), talk.now)
    talk.wait(100_000)
    assert len(talk.wanted) == wishes


def lose_media(talk: Conversation) -> int:
    """Lose the media socket or an attempt at it; how long the protocol pauses then, in ms."""
    talk.closed(MEDIA)
    pause_ms = talk.of(SocketLost)[-1].retry_in_ms
    for _ in range(0, pause_ms, 1_000):
        talk.wait(1_000)
        talk.keep_alive()
    return pause_ms


def test_the_pauses_grow_and_are_small_again_after_a_success() -> None:
    talk = Conversation().connect()
    assert [lose_media(talk) for _ in range(4)] == [3_000, 6_000, 12_000, 24_000]
    talk.opened(MEDIA)
    talk.agree()
    assert lose_media(talk) == 3_000


def test_three_missed_keep_alives_are_a_loss() -> None:
    talk = Conversation().connect()
    talk.wait(29_999)
    assert talk.of(SocketLost) == []
    talk.wait(1)
    assert talk.of(SocketLost)


# --- late and repeated news -------------------------------------------------------------------------------------------


def test_the_end_may_come_before_anything_else() -> None:
    talk = Conversation().start()
    talk.terminate(6)
    assert talk.ended is None, "no socket stands that could have said it"
    talk.opened()
    talk.terminate(6)
    talk.closed()
    assert talk.ended == StreamEnded(EndCause.STOPPED, 6)


def test_an_announcement_in_the_middle_of_connecting_is_followed() -> None:
    talk = Conversation().start()
    talk.opened()
    talk.stream.reconnect(("wss://rtms2.zoom.us",), talk.now)
    talk.offer()
    assert talk.wanted[-1] == SocketWanted(SIGNALING, "wss://rtms2.zoom.us")
    connected_again(talk)
    assert talk.of(MediaReady)


# --- buffered audio, pauses -------------------------------------------------------------------------------------------


def test_a_burst_of_a_minute_of_audio_is_swallowed_and_no_tick_overtakes_it() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    for at_ms in range(0, 60_000, 20):
        for user_id in (1, 2, 3):
            talk.frame(timestamp_ms=ZOOM - 60_000 + at_ms, user_id=user_id)
        talk.wait(1)
    talk.wait(5_000)
    through: dict[object, int] = {}
    frames = 0
    for event in talk.events:
        if isinstance(event, TickDue):
            through[event.medium] = event.through_ms
        elif isinstance(event, FrameReceived):
            frames += 1
            assert event.timestamp_ms > through.get(event.medium, 0)
    assert frames == 9_000
    assert through


def test_ticks_wait_for_the_longest_chunk_that_zoom_agreed_to_not_for_what_was_asked() -> None:
    talk = Conversation(wanted=MediaParameters(audio=AudioParameters(send_rate=20))).start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    talk.say(messages.media_handshake_response(media_params={"audio": {"send_rate": 1_000}}), MEDIA)
    talk.keep_alive(MEDIA)
    talk.frame()
    for _ in range(100):
        talk.wait(50)
        talk.pong()
        for tick in talk.of(TickDue):
            assert tick.medium is not Medium.AUDIO or tick.through_ms <= talk.zoom_ms - 1_150
    assert any(tick.medium is Medium.AUDIO for tick in talk.of(TickDue))


def test_a_pause_keeps_the_sockets_and_the_stream_goes_on_after_it() -> None:
    talk = Conversation().connect()
    talk.say(messages.session_state_update("s", 3, talk.zoom_ms))
    talk.say(messages.stream_state_update(5, talk.zoom_ms))
    for _ in range(60):
        talk.wait(10_000)
        talk.keep_alive()
        talk.keep_alive(MEDIA)
    talk.say(messages.stream_state_update(6, talk.zoom_ms))
    talk.say(messages.session_state_update("s", 4, talk.zoom_ms))
    talk.frame()
    assert isinstance(talk.events[-1], FrameReceived)
    assert [event.code for event in talk.of(StreamStateChanged)] == [5, 6]
    assert [event.code for event in talk.of(SessionStateChanged)] == [3, 4]
    assert (talk.of(SocketLost), talk.unwanted) == ([], [])
