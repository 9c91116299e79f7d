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


def test_control_records_are_sent_again_and_frames_become_holes():
    producer = FakeProducer()
    publisher = Publisher(
        Identity("app_1", 3, 7), CODEC, {topic.name: producer for topic in topics.MEDIA_TOPICS}, 10_000
    )
    publisher.begin(Begin(worker="w", settings="{}", negotiated="{}"), Encodings(), 1, 1)
    publisher.audio(Frame(7, None, 1234, 1, b"x"))
    assert len(producer.settle(refused=True)) == 7
    assert publisher.unsettled == 7
    (hole,) = publisher.take_holes()
    assert hole == Hole(medium="audio", participant_id=7, from_ms=1234, to_ms=1235, cause=NOT_DELIVERED)
    publisher.send()
    again = [CODEC.decode(topic, value) for topic, value in producer.settle()]
    assert {(record.kind, record.sequence) for record in again} == {(RecordKind.BEGIN, 0)}
    assert len(again) == 6
    assert publisher.unsettled == 0


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
