"""Who has just subscribed is told of what is asked for then, signed as was answered; a view may be a moment behind."""

import pytest

from schemas import topics
from schemas.records import WebhookNotice
from schemas.triggers import PING, Trigger
from sinks.webhooks.receivers import own_id
from tests.unit.sinks.webhooks.test_delivering import CODEC, are_over


def notice(town, trigger, subscription_id="webhook_1", delivery_id="whd_1"):
    """Hand it to the deliverer."""
    made = WebhookNotice(
        delivery_id=delivery_id, session_id="webhook_1", project_id="p", subscription_id=subscription_id,
        url=town.hook.url, trigger=trigger, body="{}", created_at_ms=0,
    )  # fmt: skip
    town.log.send_future(topics.WEBHOOK_NOTICES, b"webhook_1", CODEC.encode(topics.WEBHOOK_NOTICES, made), 0)


def test_the_first_news_are_told_though_the_subscription_is_not_known_yet(town, receiver):
    town.knows_hook = False
    town.change(0)
    town.say(0)
    for _ in range(3):
        town.announcer.step(0)
    assert (town.news.committed, town.log.values(topics.WEBHOOK_NOTICES)) == ({}, [])
    town.knows_hook = True
    town.until(are_over(town, 2))
    assert receiver.states() == ["state 0"]


def test_what_nobody_asked_for_waits_for_nothing(town):
    """What is said goes on being said."""
    town.knows_hook = False
    town.say(0)
    town.announcer.step(0)
    assert town.news.committed


@pytest.mark.parametrize("trigger", [PING, Trigger.STATE_CHANGE])
def test_what_is_told_is_signed_as_was_answered(town, receiver, trigger):
    """Also where another process announced it, which knew of the subscription before this one."""
    town.knows_hook = False
    notice(town, trigger)
    for _ in range(3):
        town.deliverer.step(0)
    assert not town.deliverer._answers
    town.knows_hook = True
    town.until(are_over(town, 1))
    [told] = receiver.told
    assert told.headers["x-webhook-signature"]


def test_a_secret_that_is_new_is_waited_for_where_a_test_is_asked_for(town, receiver):
    town.deliverer._to.directory.knows_subscriptions = lambda: False
    notice(town, PING)
    town.deliverer.step(0)
    assert not town.deliverer._answers


def test_of_all_that_is_due_one_look_is_enough(town, receiver):
    """Each may take a moment, and a member that is silent for long is none any more."""
    looks = []
    town.deliverer._to.directory.knows_subscriptions = lambda: looks.append("look")
    for number in range(3):
        notice(town, PING, f"webhook_{number}", delivery_id=f"whd_{number}")
    town.deliverer.step(0)
    assert not town.deliverer._answers
    assert len(looks) == 1


def test_a_sessions_own_webhook_waits_for_no_subscription(town, receiver):
    town.knows_hook = False
    notice(town, Trigger.STATE_CHANGE, own_id("webhook_1", receiver.url))
    town.until(are_over(town, 1))
