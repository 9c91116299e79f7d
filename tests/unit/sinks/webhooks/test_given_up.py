"""A receiver that takes nothing is switched off, and counted anew when it is switched on."""

from dataclasses import replace

from schemas import topics
from schemas.records import DeliveryStatus
from tests.unit.sinks.webhooks.test_delivering import are_over


def test_a_receiver_that_takes_nothing_is_not_told_for_ever(town, receiver, monkeypatch):
    monkeypatch.setattr("sinks.webhooks.delivering.next_due_ms", lambda attempts, _draw: None)
    receiver.status = 400
    town.change(0)
    town.change(1)
    town.until(lambda: town.log.values(topics.WEBHOOK_SUBSCRIPTIONS))
    [disabled] = town.log.values(topics.WEBHOOK_SUBSCRIPTIONS)
    assert (disabled.is_active, disabled.disabled_reason) == (False, "2 deliveries in a row were given up")


def gives_up(town, number):
    """Tell one thing more, and give it up."""
    town.change(number)
    town.until(lambda: [d.status for d in town.deliveries()] == [DeliveryStatus.FAILED] * (number + 1), timeout_s=15)
    return len(town.log.values(topics.WEBHOOK_SUBSCRIPTIONS))


def test_who_is_switched_on_again_has_all_its_chances_again(town, receiver, monkeypatch):
    """What was begun before is still tried, and may be given up after that."""
    monkeypatch.setattr("sinks.webhooks.delivering.next_due_ms", lambda attempts, _draw: None)
    receiver.status = 400
    assert [gives_up(town, number) for number in range(4)] == [0, 1, 1, 2]
    town.hook = replace(town.hook, is_active=False)
    assert gives_up_directly(town, 5) == 2
    town.hook = replace(town.hook, is_active=True)
    assert [gives_up_directly(town, number) for number in (6, 7)] == [2, 3]


def gives_up_directly(town, number):
    """As of a delivery that was begun when the subscription was on."""
    town.deliverer._judge(replace(town.deliveries()[0], delivery_id=f"whd_{number}"))
    return len(town.log.values(topics.WEBHOOK_SUBSCRIPTIONS))


def test_of_sessions_own_webhooks_nothing_is_kept(town):
    town.change(0)
    town.until(are_over(town, 1))
    for number in range(3):
        own = replace(town.deliveries()[0], subscription_id=f"webhook_own_{number}", status=DeliveryStatus.FAILED)
        town.deliverer._judge(own)
    assert not town.deliverer._given_up
