from hypothesis import given
from hypothesis import strategies as st

from ingest.outbox import BESIDE_BYTES, Outbox, Outgoing
from schemas import topics


def room_for(*sizes):
    """A budget for records of these sizes."""
    return sum(sizes) + len(sizes) * BESIDE_BYTES


def picture(at_ms, *, key=False, topic=topics.VIDEO, size=10):
    return Outgoing(topic, b"x" * size, at_ms, key_frame=key)


def drain(outbox):
    sent = []
    while item := outbox.first():
        sent.append(item)
        outbox.pop(item.topic)
    return sent


def test_in_budget_everything_comes_out_in_order_of_its_topic():
    outbox = Outbox(10_000)
    items = [picture(index, key=index % 5 == 0) for index in range(20)]
    items += [Outgoing(topics.AUDIO, b"a", index) for index in range(20)]
    assert [outbox.put(item) for item in items] == [[]] * len(items)
    sent = drain(outbox)
    assert sorted(sent, key=items.index) == items
    assert [item for item in sent if item.topic is topics.VIDEO] == items[:20]
    assert outbox.bytes == 0


def test_what_is_held_stays_and_nothing_else_waits_for_it():
    outbox = Outbox(10_000)
    events, audio = Outgoing(topics.EVENTS, b"e", 0), Outgoing(topics.AUDIO, b"a", 1)
    outbox.put(events)
    outbox.put(audio)
    held = {topics.EVENTS.name}
    assert outbox.first(held) is audio
    outbox.pop(topics.AUDIO)
    assert outbox.first(held) is None
    assert drain(outbox) == [events]


def test_whole_groups_go_first():
    outbox = Outbox(room_for(*[10] * 10))
    dropped = [outbox.put(picture(index, key=index % 4 == 0)) for index in range(12)]
    assert [item.timestamp_ms for item in drain(outbox)] == [4, 5, 6, 7, 8, 9, 10, 11]
    assert [[item.timestamp_ms for item in items] for items in dropped if items] == [[0, 1, 2, 3]]


def test_the_rest_of_a_growing_group_goes_with_its_beginning():
    outbox = Outbox(room_for(10, 10, 10))
    dropped = [outbox.put(picture(index, key=index in (0, 6))) for index in range(8)]
    assert [item.timestamp_ms for item in drain(outbox)] == [6, 7]
    assert [[item.timestamp_ms for item in items] for items in dropped if items] == [[0, 1, 2, 3], [4], [5]]


def test_audio_goes_last_and_control_records_never():
    outbox = Outbox(room_for(12, 10))
    outbox.put(Outgoing(topics.VIDEO, b"begin-record", 0, is_frame=False))
    outbox.put(picture(1, key=True))
    dropped = [outbox.put(Outgoing(topics.AUDIO, b"a" * 10, index)) for index in range(5)]
    sent = drain(outbox)
    assert [item.timestamp_ms for item in sent if item.topic is topics.AUDIO] == [4]
    assert [item.value for item in sent if item.topic is topics.VIDEO] == [b"begin-record"]
    assert [item.topic.medium for items in dropped for item in items] == ["video", *["audio"] * 4]


def test_text_goes_after_all_else_and_a_flood_of_it_stays_in_the_budget():
    """Zoom may send as much of it as it likes."""
    outbox = Outbox(room_for(*[20] * 5))
    outbox.put(picture(0, key=True, size=40))
    outbox.put(Outgoing(topics.AUDIO, b"a" * 40, 1))
    flood = (topics.EVENTS, topics.CHAT, topics.CAPTIONS)
    dropped = [outbox.put(Outgoing(flood[index % 3], b"t" * 20, index)) for index in range(12)]
    went = [(item.topic.medium, item.timestamp_ms) for items in dropped for item in items]
    assert went[:2] == [("video", 0), ("audio", 1)]
    assert outbox.bytes == room_for(*[20] * 5)
    assert [item.topic.medium for item in drain(outbox)] == ["events"] * 4 + ["chat"]
    assert outbox.put(Outgoing(topics.CHAT, b"t" * room_for(*[20] * 5), 0))
    assert outbox.bytes == 0


ITEMS = st.lists(
    st.builds(
        Outgoing,
        st.sampled_from([topics.AUDIO, topics.VIDEO, topics.SHARE, topics.CAPTIONS]),
        st.binary(min_size=1, max_size=30),
        st.integers(min_value=0, max_value=99),
        is_frame=st.booleans(),
        key_frame=st.booleans(),
    ),
    max_size=60,
)


@given(ITEMS, st.integers(min_value=0, max_value=room_for(*[10] * 30)))
def test_everything_is_sent_or_said_to_be_dropped_and_the_budget_holds(items, budget):
    outbox = Outbox(budget)
    must_stay, dropped = 0, []
    for item in items:
        dropped += outbox.put(item)
        must_stay += 0 if item.is_frame else room_for(len(item.value))
        assert outbox.bytes <= max(budget, must_stay)
    sent = drain(outbox)
    assert outbox.bytes == 0
    assert sorted(map(id, sent + dropped)) == sorted(map(id, items))
