"""What happened in the meeting, in all the shapes that Zoom's documents show."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol import happenings
from connectors.rtms.protocol.codes import ContactCenterEventType, EventType, Medium
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.events import (
    EVENT_CLASSES,
    ActiveSpeakerChanged,
    ContactCenterEvent,
    FirstPacketStamped,
    MediaInterrupted,
    ParticipantJoined,
    ParticipantLeft,
    SessionStateChanged,
    SharingStarted,
    StreamStateChanged,
    VideoTurnedOff,
    ZoomEvent,
)
from connectors.rtms.protocol.happenings import Context

T = 1_700_000_001_234
MEETING = Context("meeting", T + 5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read(number: Any, context: Context = MEETING, **fields: Any) -> list[ZoomEvent]:
    return happenings.read_event({"msg_type": 6, "event": {"event_type": number, "timestamp": T, **fields}}, context)


def test_the_first_packet() -> None:
    assert read(1) == [FirstPacketStamped(code=1, timestamp_ms=T)]


@pytest.mark.parametrize("user_id", [16778240, "16778240"])
def test_the_active_speaker_with_an_id_in_either_form(user_id: Any) -> None:
    assert read(2, user_id=user_id, user_name="Ada") == [
        ActiveSpeakerChanged(code=2, timestamp_ms=T, user_id=16778240, user_name="Ada")
    ]


def test_one_event_per_participant() -> None:
    people = [{"user_id": "1", "user_name": "Ada"}, {"user_id": 2}, {"name": "nobody"}, "junk"]
    assert read(3, participants=people) == [
        ParticipantJoined(code=3, timestamp_ms=T, user_id=1, user_name="Ada"),
        ParticipantJoined(code=3, timestamp_ms=T, user_id=2),
    ]
    assert read(4, participants={"user_id": 1}) == [ParticipantLeft(code=4, timestamp_ms=T, user_id=1)]
    assert read(9, participants=[]) == []
    assert [type(event) for event in read(9, participants=[{"user_id": 1}])] == [VideoTurnedOff]


@pytest.mark.parametrize(
    ("fields", "medium"),
    [({}, None), ({"media_type": 2}, Medium.VIDEO), ({"media_type": "1"}, Medium.AUDIO), ({"media_type": 32}, None)],
)
def test_an_interrupted_medium_is_a_hint(fields: dict[str, Any], medium: Medium | None) -> None:
    event = read(7, **fields)[0]
    assert isinstance(event, MediaInterrupted)
    assert event.medium is medium


def test_chat_groups_keep_their_details() -> None:
    event = read(12, members_update_list=[{"id": "x"}])[0]
    assert (event.name, event.code) == ("chat_group_members_added", 12)
    assert json.loads(event.details) == {"members_update_list": [{"id": "x"}]}


def test_events_without_a_class_are_other_events() -> None:
    event = read(99, surprise=1)[0]
    assert type(event) is ZoomEvent
    assert (event.name, event.code, event.details) == ("other", 99, '{"surprise":1}')


def test_calls_number_their_events_under_another_key() -> None:
    message = {"event": {"event_code": "4711", "timestamp": T, "what": "ringing"}}
    event = happenings.read_event(message, Context("phone", 0))[0]
    assert (event.name, event.code, event.details) == ("other", 4711, '{"what":"ringing"}')


def test_every_class_has_a_name_of_its_own() -> None:
    kinds: list[type[ZoomEvent]] = [*EVENT_CLASSES.values(), StreamStateChanged, SessionStateChanged]
    names = [kind.kind for kind in kinds]
    assert len({*names, "other"}) == len(names) + 1
    assert set(EVENT_CLASSES) == set(EventType) - {EventType.UNDEFINED}


@pytest.mark.parametrize("spelling", ["participant_info", "paticipant_info"])
def test_contact_centers_use_the_numbers_for_other_things(spelling: str) -> None:
    person = {"channel_id": "c1", "display_name": "Ada", "participant_mode": "caller"}
    context = Context("contact_center", 0)
    event = happenings.read_event({"event": {"event_type": 8, "event_ts": T, spelling: person, "more": 1}}, context)[0]
    assert event == ContactCenterEvent(
        code=8, timestamp_ms=T, user_name="Ada", channel_id="c1", details=event.details
    )  # fmt: skip
    assert json.loads(event.details) == {"participant_info": person, "more": 1}
    assert [type(read(number, context, user_id=1)[0]) for number in (2, 5)] == [ActiveSpeakerChanged, SharingStarted]


@pytest.mark.parametrize("number", [*range(8, 30), 33])
def test_contact_centers_have_a_name_for_every_number(number: int) -> None:
    event = read(number, Context("contact_center", 0))[0]
    assert event.name == ("unknown_33" if number == 33 else ContactCenterEventType(number).name.lower())
    assert isinstance(event, ContactCenterEvent)
    assert event.channel_id is None


def test_a_time_is_always_there() -> None:
    assert read(6, timestamp=None)[0].timestamp_ms == T + 5
    assert read(6, timestamp=T * 1000)[0].timestamp_ms == T


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({}, "no_event_type"), ({"event": {"event_type": "x"}}, "no_event_type"), ({"event": [1]}, "no_event_type"),
        ({"event": {"event_type": 2**31}}, "no_event_type"), ({"event": {"event_type": -(2**40)}}, "no_event_type"),
        ({"event": {"event_type": 3}}, "no_participants"),
        ({"event": {"event_type": 3, "participants": "Ada"}}, "no_participants"),
        ({"event": {"event_type": 3, "participants": [{"user_id": "Ada"}]}}, "bad_user_id"),
        ({"event": {"event_type": 2, "user_id": []}}, "bad_user_id"),
        ({"event": {"event_type": 3, "participants": [{"user_id": 1}] * 20_000, "x": "x" * 1000}}, "too_many_values"),
    ],
)  # fmt: skip
def test_unusable_events(message: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        happenings.read_event(message, MEETING)
    assert caught.value.reason == reason


@pytest.mark.parametrize("key", ["reason", "stop_reason"])
def test_states_with_their_reason_under_either_name(key: str) -> None:
    stream = happenings.read_stream_state({"state": 4, key: 6, "timestamp": T}, MEETING)
    assert (stream.code, stream.reason, stream.timestamp_ms) == (4, 6, T)
    assert json.loads(stream.details) == {"state": "terminated", "reason": "meeting_ended"}
    session = happenings.read_session_state({"rtms_session_id": "s", "state": 5, key: 2}, MEETING)
    assert (session.code, session.reason, session.rtms_session_id, session.timestamp_ms) == (5, 2, "s", T + 5)
    assert json.loads(session.details) == {"rtms_session_id": "s", "state": "stopped", "reason": "user_triggered"}


def test_states_without_a_state_are_unusable() -> None:
    for reader in (happenings.read_stream_state, happenings.read_session_state):
        with pytest.raises(Unusable, match="no_state"):
            reader({"reason": 6}, MEETING)
    assert happenings.read_session_state({"state": 77}, MEETING).rtms_session_id == ""


@given(
    st.sampled_from(["meeting", "contact_center"]),
    st.integers(-1, 40),
    st.dictionaries(
        st.sampled_from(["participants", "user_id", "timestamp", "participant_info", "media_type", "state"]), JSON
    ),
)
def test_whatever_comes_is_read_or_unusable(product: str, number: int, fields: dict[str, Any]) -> None:
    context = Context(product, T)
    for reader in (happenings.read_event, happenings.read_stream_state, happenings.read_session_state):
        try:
            reader({"event": {"event_type": number, **fields}, **fields}, context)
        except Unusable:
            pass
