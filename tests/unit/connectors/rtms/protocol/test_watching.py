"""Individual video: one camera at a time, and always one that is on."""

import pytest

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import DataOption, MessageType, Status
from connectors.rtms.protocol.events import SIGNALING
from connectors.rtms.protocol.parameters import MediaParameters, VideoParameters
from connectors.rtms.protocol.ticks import NEVER_MS
from connectors.rtms.protocol.watching import AGAIN_MS, MAX_CAMERAS, SILENT_MS, Watching
from tests.support.zoom_conversation import MEDIA, ZOOM, Conversation

INDIVIDUAL = MediaParameters(video=VideoParameters(data_opt=DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM))


class Cameras(Watching):
    """At the moment that the test says."""

    now_ms = 0
    heard_ms: int | None = 0

    def picked(self, after_ms: int = 0) -> int | None:
        self.now_ms += after_ms
        return self.pick(self.now_ms, self.heard_ms)

    def refused(self, user_id: int, code: Status = Status.INVALID_PAYLOAD) -> None:
        self.answered(user_id, code, self.now_ms)


def with_cameras(*user_ids: int) -> Cameras:
    watching = Cameras()
    for user_id in user_ids:
        watching.turned(user_id, on=True)
    return watching


def test_nobody_is_watched_while_no_camera_is_on() -> None:
    watching = Cameras()
    assert (watching.picked(), watching.due_ms) == (None, NEVER_MS)


def test_who_has_had_it_on_for_longest_is_watched_until_it_goes_off() -> None:
    watching = with_cameras(1, 2, 1)
    assert (watching.picked(), watching.picked(), watching.watched) == (1, None, 1)
    watching.turned(2, on=False)
    watching.turned(3, on=True)
    assert watching.picked() is None
    watching.turned(1, on=False)
    assert watching.picked() == 3


def test_one_that_zoom_says_is_on_is_watched_however_long_it_sends_nothing() -> None:
    watching = with_cameras(1, 2)
    watching.picked()
    assert (watching.picked(after_ms=3_600_000), watching.due_ms) == (None, NEVER_MS)


@pytest.mark.parametrize("code", [Status.OK, Status.DUPLICATE_VIDEO_SUBSCRIPTION])
def test_what_is_granted_is_kept(code: Status) -> None:
    watching = with_cameras(1, 2)
    watching.picked()
    watching.refused(1, code)
    assert (watching.picked(), watching.watched) == (None, 1)


def test_who_is_refused_is_passed_over_until_the_camera_turns_or_the_sockets_are_new() -> None:
    watching = with_cameras(1, 2)
    watching.picked()
    watching.refused(1)
    assert watching.picked() == 2
    watching.refused(1)
    assert watching.watched == 2, "a late answer about somebody else"
    watching.refused(2)
    assert (watching.picked(after_ms=3_600_000), watching.due_ms) == (None, NEVER_MS)
    watching.turned(2, on=True)
    assert watching.picked() == 2
    watching.restart()
    assert watching.picked() == 1


def test_whom_zoom_fails_to_give_is_asked_for_again_a_little_later() -> None:
    watching = with_cameras(1)
    watching.picked()
    watching.refused(1, Status.INTERNAL_EXCEPTION)
    assert (watching.picked(), watching.due_ms) == (None, AGAIN_MS)
    assert watching.picked(after_ms=AGAIN_MS - 1) is None
    assert (watching.picked(after_ms=1), watching.due_ms) == (1, NEVER_MS)


def test_somebody_else_is_watched_where_zoom_fails() -> None:
    watching = with_cameras(1, 2)
    watching.picked()
    watching.refused(1, Status.INTERNAL_EXCEPTION)
    assert (watching.picked(), watching.picked(after_ms=AGAIN_MS), watching.watched) == (2, None, 2)


def test_an_answer_that_names_nobody_is_about_whom_was_asked_for() -> None:
    watching = with_cameras(1, 2)
    watching.picked()
    watching.refused(0)
    assert (watching.picked(), watching.picked()) == (2, None)
    watching.refused(0, Status.OK)
    assert watching.watched == 2


def test_a_camera_known_from_before_comes_after_one_that_zoom_has_told_of_since() -> None:
    watching = with_cameras(1, 2)
    watching.restart()
    watching.turned(2, on=True)
    assert (watching.picked(), watching.due_ms) == (2, NEVER_MS)


def test_a_camera_known_from_before_that_sends_nothing_is_off() -> None:
    watching = with_cameras(1, 2)
    watching.restart()
    assert (watching.picked(), watching.due_ms) == (1, SILENT_MS)
    watching.turned(3, on=True)
    assert watching.picked(after_ms=SILENT_MS - 1) is None
    assert (watching.picked(after_ms=1), watching.due_ms) == (3, NEVER_MS)
    watching.turned(3, on=False)
    assert watching.picked() == 2


def test_a_camera_known_from_before_that_sends_is_on() -> None:
    watching = with_cameras(1, 2)
    watching.restart()
    watching.picked()
    watching.heard_ms = 1
    assert (watching.picked(after_ms=SILENT_MS), watching.due_ms, watching.watched) == (None, NEVER_MS, 1)
    assert watching.picked(after_ms=3_600_000) is None, "it is known from now on, and would be told"


def test_nothing_can_be_heard_without_a_socket() -> None:
    watching = with_cameras(1, 2)
    watching.restart()
    watching.picked()
    watching.heard_ms = None
    assert (watching.picked(after_ms=SILENT_MS), watching.due_ms, watching.watched) == (None, NEVER_MS, 1)


def test_no_more_is_remembered_than_there_can_be() -> None:
    watching = with_cameras(*range(1, 5 * MAX_CAMERAS))
    for user_id in range(1, 5 * MAX_CAMERAS):
        watching.refused(user_id)
    assert (len(watching._cameras), len(watching._refused)) == (MAX_CAMERAS, MAX_CAMERAS)
    watching.restart()
    assert len(watching._unsure) == MAX_CAMERAS
    watching.turned(7, on=False)
    watching.turned(8 * MAX_CAMERAS, on=True)
    assert watching.picked() == 8 * MAX_CAMERAS


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


def reconnected(*user_ids: int) -> Conversation:
    """These cameras were on when the media socket broke; it stands again."""
    talk = Conversation(wanted=INDIVIDUAL).connect()
    cameras(talk, 8, *user_ids)
    talk.closed(MEDIA)
    talk.wait(3_000)
    talk.opened(MEDIA)
    talk.agree()
    return talk


def test_after_a_reconnection_the_camera_is_asked_for_again() -> None:
    talk = reconnected(1)
    assert asked(talk) == [1, 1]


def test_after_a_reconnection_a_camera_that_went_off_meanwhile_is_given_up() -> None:
    talk = reconnected(1, 2)
    talk.say(messages.video_subscription_response(1, ZOOM))
    talk.wait(SILENT_MS)
    assert asked(talk) == [1, 1, 2]
    talk.frame(MessageType.MEDIA_DATA_VIDEO)
    talk.wait(SILENT_MS)
    assert asked(talk) == [1, 1, 2], "it sends"


def test_nobody_is_asked_for_while_the_socket_is_away() -> None:
    talk = reconnected(1, 2)
    talk.closed(MEDIA)
    talk.wait(2 * SILENT_MS)
    assert asked(talk) == [1, 1]


def test_a_failure_of_zoom_is_waited_out() -> None:
    talk = Conversation(wanted=INDIVIDUAL).connect()
    cameras(talk, 8, 1)
    talk.say(messages.video_subscription_response(1, ZOOM, status=Status.INTERNAL_EXCEPTION, reason="busy"))
    talk.wait(AGAIN_MS)
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
