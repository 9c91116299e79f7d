"""What becomes of records that Kafka does not take in time."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from ingest.publisher import MEMORY_BUDGET, NOT_DELIVERED, Encodings, Frame, Identity, Publisher
from schemas import topics
from schemas.codec import Codec
from schemas.records import Begin, Hole, RecordKind
from tests.unit.ingest.producers import FakeProducer

CODEC = Codec.with_ids_from(topics.ALL)
BEGIN = Begin(worker="w", settings="{}", negotiated="{}")
TOPIC_NAMES = [topic.name for topic in topics.MEDIA_TOPICS]


def test_control_records_are_sent_again_and_frames_become_holes():
    producer = FakeProducer()
    publisher = Publisher(
        Identity("app_1", 3, 7), CODEC, {topic.name: producer for topic in topics.MEDIA_TOPICS}, 10_000
    )
    publisher.begin(BEGIN, Encodings(), 1, 1)
    producer.settle()
    publisher.audio(Frame(7, None, 1234, 1, b"x"))
    publisher.end(1300, 1)
    assert len(producer.settle(refused=True)) == 7
    assert publisher.unsettled == 7
    (hole,) = publisher.take_holes()
    assert hole == Hole(medium="audio", participant_id=7, from_ms=1234, to_ms=1235, cause=NOT_DELIVERED)
    publisher.send()
    again = [CODEC.decode(topic, value) for topic, value in producer.settle()]
    assert {record.kind for record in again} == {RecordKind.END}
    assert len(again) == 6
    assert publisher.unsettled == 0


def test_what_comes_before_kafka_has_the_begin_waits_for_it_and_other_topics_do_not():
    """Behind frames of its epoch a begin says too late whose they are."""
    producers = {topic.name: FakeProducer() for topic in topics.MEDIA_TOPICS}
    publisher = Publisher(Identity("app_1", 3, 7), CODEC, producers, 10_000)
    publisher.begin(BEGIN, Encodings(), 1, 1)
    producers[topics.VIDEO.name].settle()
    audio, video = producers[topics.AUDIO.name], producers[topics.VIDEO.name]
    audio.settle(refused=True)
    publisher.audio(Frame(7, None, 20, 1, b"x"))
    publisher.picture(topics.VIDEO, Frame(7, None, 21, 1, b"v", True))
    assert kinds(video.settle()) == [RecordKind.FRAME]
    assert kinds(audio.settle()) == [RecordKind.BEGIN]
    publisher.send()
    assert kinds(audio.settle()) == [RecordKind.FRAME]
    assert list(publisher.take_holes()) == []


def test_a_topic_that_is_held_costs_no_other_its_place():
    """Its own frames go when there is no room for more; those of others do not need any."""
    producers = {topic.name: FakeProducer() for topic in topics.MEDIA_TOPICS}
    publisher = Publisher(Identity("app_1", 3, 7), CODEC, producers, 2_000)
    publisher.begin(BEGIN, Encodings(chunk_ms=20), 1, 1)
    for name in TOPIC_NAMES:
        if name != topics.AUDIO.name:
            producers[name].settle()
    publisher.send()
    for number in range(10):
        publisher.audio(Frame(7, None, 20 * number, 1, b"a" * 400))
        publisher.picture(topics.VIDEO, Frame(7, None, 20 * number, 1, b"v" * 1_900, number % 5 == 0))
    assert kinds(producers[topics.VIDEO.name].settle()) == [RecordKind.FRAME] * 10
    assert {hole.medium for hole in publisher.take_holes()} == {"audio"}


def kinds(settled):
    return [CODEC.decode(topic, value).kind for topic, value in settled]


SETTLINGS = st.lists(
    st.one_of(
        st.tuples(st.just("audio"), st.none()),
        st.tuples(st.just("tick"), st.none()),
        st.tuples(st.just("room"), st.integers(0, 8)),
        st.tuples(st.just("settle"), st.booleans()),
        st.tuples(st.just("send"), st.none()),
    ),
    max_size=60,
)


@given(SETTLINGS)
def test_whatever_kafka_refuses_the_begin_comes_first_and_each_frame_is_there_or_missed(steps):
    producer = FakeProducer(room=0)
    publisher = Publisher(Identity("app_1", 3, 7), CODEC, dict.fromkeys(TOPIC_NAMES, producer), 10**6)
    publisher.begin(BEGIN, Encodings(chunk_ms=1), 0, 1)
    taken, holes, told = [], [], 0

    def settle(refused):
        settled = producer.settle(refused=refused)
        taken.extend(
            () if refused else (CODEC.decode(topic, value) for topic, value in settled if topic is topics.AUDIO)
        )
        holes.extend(publisher.take_holes())

    for step, value in [*steps, ("room", 1_000), *[("send", None), ("settle", False)] * 3]:
        match step:
            case "audio":
                publisher.audio(Frame(7, None, told, 1, b"x"))
                told += 1
            case "tick":
                publisher.tick(topics.AUDIO, told, 1)
            case "room":
                producer.room = value
            case "settle":
                settle(value)
            case _:
                publisher.send()
    assert publisher.unsettled == 0
    assert [record.kind for record in taken].count(RecordKind.BEGIN) == 1
    assert taken[0].kind is RecordKind.BEGIN
    there = [record.timestamp_ms for record in taken if record.kind is RecordKind.FRAME]
    missed = [at_ms for hole in holes for at_ms in range(hole.from_ms, hole.to_ms)]
    assert sorted(there + missed) == list(range(told))


def counted(topic, cause):
    return REGISTRY.get_sample_value("rtms_ingest_lost_total", {"topic": topic.name, "cause": cause}) or 0


def test_frames_lost_one_after_another_are_one_hole_of_their_length_and_each_is_counted_once():
    producers = dict.fromkeys((t.name for t in topics.MEDIA_TOPICS), FakeProducer(room=0))
    publisher = Publisher(Identity("app_1", 3, 7), CODEC, producers, 4_000)
    publisher.agree(Encodings(chunk_ms=20, video_ms=40))
    before = counted(topics.VIDEO, MEMORY_BUDGET), counted(topics.AUDIO, MEMORY_BUDGET)
    for number in range(20):
        publisher.picture(topics.VIDEO, Frame(7, None, 40 * number, 1, b"v" * 400, number % 5 == 0))
    for number in range(10):
        publisher.audio(Frame(8 + number % 2, None, 5_000 + 20 * (number // 2), 1, b"a" * 1_000))
    holes = list(publisher.take_holes())
    assert holes[0] == Hole(medium="video", participant_id=7, from_ms=0, to_ms=800, cause=MEMORY_BUDGET)
    assert [(hole.participant_id, hole.from_ms, hole.to_ms) for hole in holes[1:]] == [
        (8, 5_000, 5_080),
        (9, 5_000, 5_060),
    ]
    assert list(publisher.take_holes()) == []
    assert (counted(topics.VIDEO, MEMORY_BUDGET), counted(topics.AUDIO, MEMORY_BUDGET)) == (
        before[0] + 20,
        before[1] + 7,
    )


class Plain(Publisher):
    """The plain twin: every frame goes through the outbox, whether or not something waits in it."""

    def _frame(self, item):
        self._wait(item)
        self.send()


STEPS = st.one_of(
    st.tuples(st.just("audio"), st.integers(1, 60)),
    st.tuples(st.just("picture"), st.booleans()),
    st.tuples(st.just("tick"), st.sampled_from([topics.AUDIO, topics.VIDEO])),
    st.tuples(st.just("room"), st.integers(0, 5)),
    st.tuples(st.just("send"), st.none()),
)


@given(steps=st.lists(STEPS, max_size=60), budget=st.integers(400, 1200))  # no record is larger than the budget
def test_passing_the_outbox_by_changes_nothing_of_what_is_sent_or_lost(steps, budget):
    producers = FakeProducer(room=0), FakeProducer(room=0)
    publishers = [
        kind(Identity("app_1", 3, 7), CODEC, dict.fromkeys((t.name for t in topics.MEDIA_TOPICS), producer), budget)
        for kind, producer in zip((Publisher, Plain), producers, strict=True)
    ]
    for at_ms, (step, value) in enumerate(steps):
        for publisher, producer in zip(publishers, producers, strict=True):
            match step:
                case "audio":
                    publisher.audio(Frame(7, None, at_ms, 1, b"a" * value))
                case "picture":
                    publisher.picture(topics.VIDEO, Frame(7, None, at_ms, 1, b"v" * 50, value))
                case "tick":
                    publisher.tick(value, at_ms, 1)
                case "room":
                    producer.room = value
                case _:
                    publisher.send()
        ours, plain = ([(topic.name, value) for _, topic, value in producer.sent] for producer in producers)
        assert ours == plain
        holes = [list(publisher.take_holes()) for publisher in publishers]
        assert holes[0] == holes[1]
        assert publishers[0].unsettled == publishers[1].unsettled


def test_the_metric_follows_the_frames_and_counts_none_twice():
    def metric():
        return REGISTRY.get_sample_value("rtms_ingest_frames_total", {"topic": "rtms.audio"}) or 0

    before, publisher = metric(), Publisher(
        Identity("app_1", 3, 7), CODEC, dict.fromkeys((t.name for t in topics.MEDIA_TOPICS), FakeProducer()), 10_000
    )  # fmt: skip
    for expected in (3, 6):
        for at_ms in range(3):
            publisher.audio(Frame(7, None, at_ms, 1, b"x"))
        publisher.count()
        publisher.count()
        assert metric() - before == expected
