from hypothesis import given
from hypothesis import strategies as st

from ingest.outbox import CAUSE, Outbox, Outgoing
from schemas import topics


def picture(at_ms, *, key=False, topic=topics.VIDEO, size=10):
    return Outgoing(topic, b"x" * size, at_ms, key_frame=key)


def drain(outbox):
    sent = []
    while item := outbox.first():
        sent.append(item)
        outbox.pop()
    return sent


def test_in_budget_everything_comes_out_in_order_of_its_topic():
    outbox = Outbox(10_000)
    items = [picture(index, key=index % 5 == 0) for index in range(20)]
    items += [Outgoing(topics.AUDIO, b"a", index) for index in range(20)]
    for item in items:
        outbox.put(item)
    sent = drain(outbox)
    assert sorted(sent, key=items.index) == items
    assert [item for item in sent if item.topic is topics.VIDEO] == items[:20]
    assert (outbox.bytes, list(outbox.take_holes())) == (0, [])


def test_whole_groups_go_first_and_the_hole_says_from_when_to_when():
    outbox = Outbox(100)
    for index in range(12):
        outbox.put(picture(index, key=index % 4 == 0))
    assert [item.timestamp_ms for item in drain(outbox)] == [4, 5, 6, 7, 8, 9, 10, 11]
    (hole,) = outbox.take_holes()
    assert (hole.medium, hole.from_ms, hole.to_ms, hole.cause) == ("video", 0, 3, CAUSE)


def test_the_rest_of_a_growing_group_goes_with_its_beginning():
    outbox = Outbox(35)
    for index in range(8):
        outbox.put(picture(index, key=index in (0, 6)))
    assert [item.timestamp_ms for item in drain(outbox)] == [6, 7]
    (hole,) = outbox.take_holes()
    assert (hole.from_ms, hole.to_ms) == (0, 5)


def test_audio_goes_last_and_control_records_never():
    outbox = Outbox(30)
    outbox.put(Outgoing(topics.VIDEO, b"begin-record", 0, is_frame=False))
    outbox.put(picture(1, key=True))
    for index in range(5):
        outbox.put(Outgoing(topics.AUDIO, b"a" * 10, index))
    sent = drain(outbox)
    assert [item.timestamp_ms for item in sent if item.topic is topics.AUDIO] == [4]
    assert [item.value for item in sent if item.topic is topics.VIDEO] == [b"begin-record"]
    assert {hole.medium for hole in outbox.take_holes()} == {"video", "audio"}


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


@given(ITEMS, st.integers(min_value=0, max_value=300))
def test_nothing_vanishes_without_a_hole_and_the_budget_holds(items, budget):
    outbox = Outbox(budget)
    must_stay = 0
    for item in items:
        outbox.put(item)
        must_stay += len(item.value) if not item.is_frame or item.topic is topics.CAPTIONS else 0
        assert outbox.bytes <= max(budget, must_stay)
    holes = {hole.medium: hole for hole in outbox.take_holes()}
    sent = drain(outbox)
    assert outbox.bytes == 0
    for item in items:
        if not any(item is other for other in sent):
            hole = holes[item.topic.name.removeprefix("rtms.")]
            assert hole.from_ms <= item.timestamp_ms <= hole.to_ms
