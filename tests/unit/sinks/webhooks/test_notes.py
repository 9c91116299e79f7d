"""What came of an attempt gets to the log, however long Kafka is away."""

from schemas.records import DeliveryStatus
from tests.unit.sinks.webhooks.test_delivering import are_over


def answered(town, *changes):
    """The receiver has answered to the first of these; nobody has looked at that yet."""
    for number in changes:
        town.change(number)
    town.announcer.step(0)
    town.deliverer.step(0)
    [(*_, answer)] = town.deliverer._answers
    answer.result(60)


def test_what_came_of_an_attempt_is_written_again_until_kafka_has_it(town, receiver):
    """An outage may last longer than a producer tries: a restart must not tell it again after all."""
    answered(town, 0)
    town.log.refuses = 3
    town.until(are_over(town, 1), timeout_s=15)
    assert town.log.refuses == 0
    assert len(receiver.told) == 1


def test_nothing_is_sent_while_kafka_refuses_what_came_of_the_last(town, receiver):
    answered(town, 0, 1)
    town.log.refuses = 1_000
    for _ in range(3):
        town.deliverer.step(0)
    assert receiver.states() == ["state 0"]
    town.log.refuses = 0
    town.until(are_over(town, 2))
    assert receiver.states() == ["state 0", "state 1"]


def test_what_came_of_an_attempt_is_not_written_for_somebody_else(town):
    answered(town, 0)
    town.log.refuses = 1
    town.deliverer.carry_on()
    town.notices.names = ()
    for _ in range(3):
        town.deliverer.step(0)
    assert [delivery.status for delivery in town.deliveries()] == [DeliveryStatus.PENDING]
