"""What becomes of records that Kafka does not take in time."""

from connectors.kafka.errors import DeliveryFailed
from ingest.publisher import NOT_DELIVERED, Encodings, Frame, Identity, Publisher
from schemas import topics
from schemas.codec import Codec
from schemas.records import Begin, RecordKind

CODEC = Codec.with_ids_from(topics.ALL)


class Refusing:
    """A producer that keeps what it is given until the test settles it."""

    def __init__(self):
        self.sent = []

    def send(self, topic, key, value, partition, on_delivery):
        self.sent.append((topic, value, on_delivery))

    def settle(self, error=None):
        sent, self.sent = self.sent, []
        for _, _, on_delivery in sent:
            on_delivery(error, -1 if error else 1)
        return [CODEC.decode(topic, value) for topic, value, _ in sent]


def test_control_records_are_sent_again_and_frames_become_holes():
    producer = Refusing()
    publisher = Publisher(
        Identity("app_1", 3, 7), CODEC, {topic.name: producer for topic in topics.MEDIA_TOPICS}, 10_000
    )
    publisher.begin(Begin(worker="w", settings="{}", negotiated="{}"), Encodings(), 1, 1)
    publisher.audio(Frame(7, None, 1234, 1, b"x"))
    assert len(producer.settle(DeliveryFailed("away"))) == 7
    assert publisher.unsettled == 7
    (hole,) = publisher.take_holes()
    assert (hole.medium, hole.from_ms, hole.cause) == ("audio", 1234, NOT_DELIVERED)
    publisher.send()
    assert {(record.kind, record.sequence) for record in producer.settle()} == {(RecordKind.BEGIN, 0)}
    assert publisher.unsettled == 0
