"""What a log that forgets leaves to a successor, and what a member remembers that goes on for long."""

from schemas import topics
from schemas.records import DeliveryStatus
from sinks.webhooks.delivering import KEPT_MS
from tests.unit.sinks.webhooks.test_delivering import Town, are_over


def compacted(log):
    """As Kafka leaves a compacted topic: of each key the newest record, where that stands."""
    records = log.topics[topics.WEBHOOK_DELIVERIES.name]
    newest = {record.key: record for record in records}
    log.topics[topics.WEBHOOK_DELIVERIES.name] = sorted(newest.values(), key=lambda record: record.offset)


def test_a_successor_tells_in_order_although_compaction_left_the_first_delivery_behind_the_others(town, receiver):
    receiver.status = 503
    for number in range(3):
        town.change(number)
    town.until(lambda: [len(delivery.attempts) for delivery in town.deliveries()] == [1, 0, 0])
    compacted(town.log)
    receiver.status = 200
    successor = Town(receiver.url, town.log)
    try:
        successor.until(lambda: {delivery.status for delivery in successor.deliveries()} == {DeliveryStatus.DELIVERED})
    finally:
        successor.posting.close()
    assert receiver.states() == ["state 0", "state 0", "state 1", "state 2"]


def test_who_was_told_all_long_ago_is_forgotten_when_the_log_says_so(town):
    town.change(0)
    town.until(are_over(town, 1))
    [key] = town.lanes._lanes
    notices = town.log.topics[topics.WEBHOOK_NOTICES.name]
    later = notices[0].timestamp_ms + KEPT_MS + 60_000
    notices.append(notices[0]._replace(offset=1, timestamp_ms=later, key=b"app_1", value=b"nothing of anybody's"))
    town.deliverer.step(0)
    assert key not in town.lanes._lanes
