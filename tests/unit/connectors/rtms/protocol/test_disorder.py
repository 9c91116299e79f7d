"""Reordered, doubled, cut off, chopped up and embellished: what is whole is read, and the rest harms nobody."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.rtms.protocol.events import Event, FrameRejected, ZoomEvent
from tests.support.goldens import MESSAGES
from tests.support.zoom_conversation import MEDIA, Conversation
from tests.unit.connectors.rtms.protocol.test_goldens import READ_AS, channel_of

TOLD = [name for name, events in READ_AS.items() if events]
Message = tuple[str, bytes]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SOME = st.lists(st.sampled_from(TOLD), min_size=1, max_size=8)


def heard(messages: list[Message]) -> list[Event]:
    """What a connected client makes of them."""
    talk = Conversation().connect()
    before = len(talk.events)
    for channel, data in messages:
        talk.say(data, channel)
    return talk.events[before:]


def said(names: list[str]) -> list[Message]:
    return [(channel_of(name), MESSAGES[name]) for name in names]


def expected(names: list[str]) -> list[Event]:
    return [event for name in names for event in READ_AS[name]]


@given(st.permutations(TOLD), st.lists(st.sampled_from(TOLD), max_size=5))
def test_reordered_and_doubled_messages_are_read_as_often_as_they_come(order: list[str], again: list[str]) -> None:
    assert heard(said([*order, *again])) == expected([*order, *again])


@given(SOME, st.data())
def test_truncated_messages_are_rejected_and_take_nobody_with_them(names: list[str], data: st.DataObject) -> None:
    messages = said(names)
    victim = data.draw(st.integers(0, len(names) - 1))
    channel, whole = messages[victim]
    messages[victim] = (channel, whole[: data.draw(st.integers(0, len(whole) - 1))])
    events = heard(messages)
    assert [event for event in events if not isinstance(event, FrameRejected)] == expected(
        names[:victim] + names[victim + 1 :]
    )
    assert len([event for event in events if isinstance(event, FrameRejected)]) == 1


@given(SOME, st.data())
def test_chopped_messages_are_rejected_piece_by_piece(names: list[str], data: st.DataObject) -> None:
    messages = said(names)
    victim = data.draw(st.integers(0, len(names) - 1))
    channel, whole = messages[victim]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), min_size=1, max_size=5)))
    pieces = [(channel, whole[a:b]) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    events = heard(messages[:victim] + pieces + messages[victim + 1 :])
    rejected = [event for event in events if isinstance(event, FrameRejected)]
    assert len(rejected) == len(pieces)
    assert [event for event in events if not isinstance(event, FrameRejected)] == expected(
        names[:victim] + names[victim + 1 :]
    )


@settings(max_examples=200)
@given(st.sampled_from(TOLD), st.dictionaries(st.text(max_size=8).map("new_".__add__), JSON, min_size=1), st.data())
def test_unknown_fields_change_nothing_but_the_details(name: str, more: dict[str, Any], data: st.DataObject) -> None:
    message = msgspec.json.decode(MESSAGES[name])
    places = [message, *(value for value in message.values() if isinstance(value, dict))]
    place = data.draw(st.sampled_from(places))
    place |= more
    front = data.draw(st.booleans())
    changed = msgspec.json.encode(dict(reversed(message.items())) if front else message)
    events = heard([(channel_of(name), changed)])
    assert [_essence(event) for event in events] == [_essence(event) for event in READ_AS[name]]


def _essence(event: Event) -> Any:
    if isinstance(event, ZoomEvent):
        return (type(event), event.code, event.timestamp_ms, event.user_id, event.user_name)
    return event


@given(
    st.lists(st.tuples(st.sampled_from([MEDIA, "signaling"]), st.binary(max_size=60) | JSON.map(msgspec.json.encode)))
)
def test_noise_between_messages_is_rejected_or_ignored(noise: list[Message]) -> None:
    names = TOLD[:3]
    events = heard([*noise, *said(names)])
    assert [event for event in events if not isinstance(event, FrameRejected)] == expected(names)
