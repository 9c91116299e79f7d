"""Individual video: one camera at a time, and always one that is on."""

import pytest

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import DataOption, Status
from connectors.rtms.protocol.events import SIGNALING
from connectors.rtms.protocol.parameters import MediaParameters, VideoParameters
from connectors.rtms.protocol.watching import MAX_CAMERAS, Watching
from tests.support.zoom_conversation import MEDIA, ZOOM, Conversation

INDIVIDUAL = MediaParameters(video=VideoParameters(data_opt=DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM))


def with_cameras(*user_ids: int) -> Watching:
    watching = Watching()
    for user_id in user_ids:
        watching.turned(user_id, on=True)
    return watching


def test_nobody_is_watched_while_no_camera_is_on() -> None:
    assert Watching().pick() is None


def test_who_has_had_it_on_for_longest_is_watched_until_it_goes_off() -> None:
    watching = with_cameras(1, 2, 1)
    assert (watching.pick(), watching.pick(), watching.watched) == (1, None, 1)
    watching.turned(2, on=False)
    watching.turned(3, on=True)
    assert watching.pick() is None
    watching.turned(1, on=False)
    assert watching.pick() == 3


@pytest.mark.parametrize("code", [Status.OK, Status.DUPLICATE_VIDEO_SUBSCRIPTION])
def test_what_is_granted_is_kept(code: Status) -> None:
    watching = with_cameras(1, 2)
    watching.pick()
    watching.answered(1, code)
    assert (watching.pick(), watching.watched) == (None, 1)


def test_who_is_refused_is_passed_over_until_the_camera_turns_or_the_sockets_are_new() -> None:
    watching = with_cameras(1, 2)
    watching.pick()
    watching.answered(1, Status.INVALID_PAYLOAD)
    assert watching.pick() == 2
    watching.answered(1, Status.INVALID_PAYLOAD)
    assert watching.watched == 2, "a late answer about somebody else"
    watching.answered(2, Status.INVALID_PAYLOAD)
    assert watching.pick() is None
    watching.turned(2, on=True)
    assert watching.pick() == 2
    watching.restart()
    assert watching.pick() == 1


def test_an_answer_that_names_nobody_is_about_whom_was_asked_for() -> None:
    watching = with_cameras(1, 2)
    watching.pick()
    watching.answered(0, Status.INVALID_PAYLOAD)
    assert (watching.pick(), watching.pick()) == (2, None)
    watching.answered(0, Status.OK)
    assert watching.watched == 2


def test_no_more_is_remembered_than_there_can_be() -> None:
    watching = with_cameras(*range(1, 5 * MAX_CAMERAS))
    for user_id in range(1, 5 * MAX_CAMERAS):
        watching.answered(user_id, Status.INVALID_PAYLOAD)
    assert (len(watching._cameras), len(watching._refused)) == (MAX_CAMERAS, MAX_CAMERAS)
    watching.turned(7, on=False)
    watching.turned(8 * MAX_CAMERAS, on=True)
    assert watching.pick() == 8 * MAX_CAMERAS


# --- on the wire ------------------------------------------------------------------------------------------------------


def cameras(talk: Conversation, number: int, *user_ids: int) -> None:
    people = messages.participants([(user_id, None) for user_id in user_ids])
    talk.say(messages.event_update(number, talk.zoom_ms, people))


def asked(talk: Conversation) -> list[int]:
    return [message["user_id"] for _, message in talk.sent if message["msg_type"] == 28]


def test_the_camera_is_asked_for_and_the_next_one_when_it_goes_off_or_its_owner_leaves() -> None:
    talk = Conversation(wanted=INDIVIDUAL).connect()
    cameras(talk, 8, 1, 2)
    assert talk.sent[-1] == (SIGNALING, {"msg_type": 28, "user_id": 1, "subscribe": True, "timestamp": ZOOM})
    talk.say(messages.video_subscription_response(1, ZOOM))
    cameras(talk, 9, 1)
    talk.say(messages.video_subscription_response(2, ZOOM, status=5, reason="no"))
    cameras(talk, 8, 3)
    cameras(talk, 4, 3)
    cameras(talk, 8, 4)
    assert asked(talk) == [1, 2, 3, 4]


def test_after_a_reconnection_the_camera_is_asked_for_again() -> None:
    talk = Conversation(wanted=INDIVIDUAL).connect()
    cameras(talk, 8, 1)
    talk.closed(MEDIA)
    talk.wait(3_000)
    talk.opened(MEDIA)
    talk.agree()
    assert asked(talk) == [1, 1]


def test_a_stream_that_ends_asks_for_nobody() -> None:
    talk = Conversation(wanted=INDIVIDUAL).connect()
    talk.terminate()
    cameras(talk, 8, 1)
    assert asked(talk) == []


def test_where_zoom_sends_the_active_speaker_nobody_is_asked_for() -> None:
    talk = Conversation(wanted=INDIVIDUAL).start()
    talk.opened()
    talk.offer()
    talk.opened(MEDIA)
    answer = {"video": VideoParameters().to_wire()}
    talk.say(messages.media_handshake_response(media_params=answer), MEDIA)
    cameras(talk, 8, 1)
    talk.say(messages.video_subscription_response(1, ZOOM, status=29, reason="not so"))
    assert asked(talk) == []
