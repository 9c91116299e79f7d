"""Sockets that break: what comes back by itself, what takes everything with it, and when it is too late."""

from dataclasses import replace

import pytest

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import Medium, StopReason
from connectors.rtms.protocol.events import (
    SIGNALING,
    EndCause,
    FrameReceived,
    MediaReady,
    ParticipantJoined,
    SocketLost,
    SocketWanted,
    StreamEnded,
    TickDue,
)
from connectors.rtms.protocol.links import LinkState
from tests.support.zoom_conversation import MEDIA, POLICY, Conversation, split


def alive(talk: Conversation, ms: int) -> None:
    """Time passes, and Zoom sends its keep-alives."""
    for _ in range(0, ms, 10_000):
        talk.wait(10_000)
        for channel in (SIGNALING, MEDIA):
            if talk.state(channel) is LinkState.UP:
                talk.keep_alive(channel)


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
    talk.wait(29_000)
    assert talk.of(SocketLost) == []
    talk.keep_alive(MEDIA)
    talk.wait(1_001)
    assert [lost.channel for lost in talk.of(SocketLost)] == [SIGNALING]


def answering(talk: Conversation, ms: int, *deaf: str) -> None:
    """Let time pass in which Zoom says nothing and answers pings at once, but for those on these sockets."""
    for _ in range(ms // 100):
        talk.wait(100)
        for channel in talk.probes:
            if channel not in deaf:
                talk.pong(channel)
        talk.probes.clear()


def test_a_socket_that_answers_no_ping_any_more_is_dead_long_before_the_watchdogs_time() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    answering(talk, 15_000)
    assert talk.of(SocketLost) == [], "silent sockets live that answer"
    for _ in range(70):
        answering(talk, 100)
        talk.frame()
    assert talk.of(SocketLost) == [], "nobody asks a socket that is busy"
    answering(talk, 1_000)
    answering(talk, 7_300, SIGNALING, MEDIA)
    assert {lost.channel for lost in talk.of(SocketLost)} == {SIGNALING, MEDIA}
    talk.wait(3_000)
    assert talk.wanted[-1].channel == SIGNALING, "12 s in all"


def test_pongs_are_no_keep_alives() -> None:
    """Whoever stands between may answer pings for a server that is gone."""
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    answering(talk, 29_900)
    assert talk.of(SocketLost) == []
    answering(talk, 200)
    assert [lost.channel for lost in talk.of(SocketLost)] == [SIGNALING], "and takes the others with it"


@pytest.mark.parametrize("channel", [SIGNALING, MEDIA])
def test_a_socket_that_says_something_needs_no_pong(channel: str) -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    answering(talk, 5_000)
    for _ in range(6):
        answering(talk, 4_000, channel)
        talk.keep_alive(channel)
    assert talk.of(SocketLost) == []


def test_a_message_that_takes_long_to_come_is_a_sign_of_life_as_long_as_it_comes() -> None:
    """A picture of 16 MB on a slow line, or for a worker that is slow: the pong stands behind it."""
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    answering(talk, 3_000)
    for _ in range(200):
        answering(talk, 100, MEDIA)
        talk.stream.receive_part(MEDIA, talk.now)
        talk.stream.receive_part("unheard of", talk.now)
    assert talk.of(SocketLost) == []
    answering(talk, 4_900, MEDIA)
    assert talk.of(SocketLost) == []
    answering(talk, 200, MEDIA)
    assert [lost.channel for lost in talk.of(SocketLost)] == [MEDIA], "it has come to a stop"


def test_a_message_that_never_ends_does_not_hold_a_socket_for_ever() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    for _ in range(300):
        answering(talk, 100, MEDIA)
        talk.keep_alive(SIGNALING)
        talk.stream.receive_part(MEDIA, talk.now)
    assert [lost.channel for lost in talk.of(SocketLost)] == [MEDIA], "the watchdog wants whole ones"


def test_where_nobody_has_ever_answered_a_ping_none_is_missed() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    talk.wait(29_000)
    assert set(talk.probes) == {SIGNALING, MEDIA}
    assert talk.of(SocketLost) == []


def test_no_pings_where_none_are_wanted() -> None:
    talk = Conversation(policy=replace(POLICY, probing=False)).connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    talk.wait(29_000)
    assert talk.probes == []


def test_an_answer_that_comes_when_its_socket_is_no_longer_wanted_changes_nothing() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.frame()
    answering(talk, 1_900)
    talk.stream.hand_over(talk.now)
    talk.wait(900)
    assert MEDIA in talk.probes, "it may still prove that everything has come"
    talk.pong(SIGNALING)
    talk.pong("unheard of")
    talk.wait(20_000)
    assert talk.ended is not None


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
    assert talk.ended == StreamEnded(EndCause.DUPLICATE_CONNECTION)


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
    said = [type(event) for event in talk.events if isinstance(event, MediaReady | SocketLost)]
    assert said == [MediaReady, SocketLost, MediaReady], "what lies between the last two was sent to nobody"
    assert talk.of(SocketLost) == [SocketLost(MEDIA, None, 0)]
    assert talk.of(MediaReady)[-1].again


@pytest.mark.parametrize(("reason", "again"), [(StopReason.DATA_CONNECTION_INTERRUPTED, [MEDIA]), (12, [])])
def test_an_interrupted_stream_whose_media_are_meant_is_connected_again(reason: int, again: list[str]) -> None:
    talk = Conversation().connect()
    talk.say(messages.stream_state_update(2, talk.zoom_ms, reason=reason))
    talk.wait(1_000)
    assert talk.unwanted == again


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


def test_nothing_is_said_of_a_medium_whose_own_socket_is_still_away() -> None:
    """Audio and chat break; audio is back at once, of chat Zoom does not know for half a minute that it is gone."""
    talk = split()
    for channel in ("audio", "video", "chat"):
        talk.opened(channel)
        talk.agree(channel)
    for channel in ("audio", "chat"):
        talk.closed(channel)
    talk.wait(3_000)
    for channel in ("audio", "chat"):
        talk.opened(channel)
    talk.agree("audio")
    assert talk.of(MediaReady)[-1].missing == {Medium.CHAT}
    del talk.events[:]
    talk.refuse(17, "chat", "duplicate")
    for _ in range(5):
        talk.wait(400)
        talk.keep_alive("audio")
        talk.keep_alive("video")
    ticked = {tick.medium for tick in talk.of(TickDue)}
    assert Medium.SHARE in ticked, "it has no socket of its own"
    assert Medium.CHAT not in ticked
    talk.wait(1_000)
    talk.opened("chat")
    talk.agree("chat")
    assert talk.of(MediaReady)[-1].missing == set()
    talk.wait(1_500)
    talk.keep_alive("chat")
    talk.wait(1_500)
    assert Medium.CHAT in {tick.medium for tick in talk.of(TickDue)}


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


def test_a_stream_announced_elsewhere_before_it_began_begins_there() -> None:
    talk = Conversation()
    talk.stream.reconnect(("wss://rtms2.zoom.us",), 0)
    talk.start()
    assert talk.wanted == [SocketWanted(SIGNALING, "wss://rtms2.zoom.us")]


def test_no_ticks_while_nothing_is_connected() -> None:
    talk = Conversation().connect()
    talk.keep_alive(MEDIA)
    talk.wait(2_500)
    talk.closed(MEDIA)
    before = [tick for tick in talk.of(TickDue) if tick.medium is not Medium.EVENTS]
    talk.wait(2_900)
    assert [tick for tick in talk.of(TickDue) if tick.medium is not Medium.EVENTS] == before
