"""How often a lane has to wait for a round of the sink's loop."""

from tests.support.receiver import receiving
from tests.unit.sinks.webhooks.test_delivering import Town, are_over


def test_what_comes_next_in_a_lane_is_sent_as_soon_as_the_last_is_heard_of():
    """A round waits for Kafka four times: a delivery must not take a lane two of them."""
    with receiving() as receiver:
        town = Town(receiver.url)
        for number in range(3):
            town.change(number)
        town.announcer.step(0)
        town.deliverer.step(0)
        for told in range(1, 4):
            [(*_, answer)] = town.deliverer._answers
            answer.result(60)
            assert len(receiver.told) == told
            town.deliverer.carry_on()
        assert are_over(town, 3)()
        town.posting.close()
