"""Who has just subscribed is told of what is asked for then, signed as was answered; a view may be a moment behind."""

from schemas import topics
from schemas.records import WebhookNotice
from schemas.triggers import PING
from tests.unit.sinks.webhooks.test_delivering import CODEC, are_over


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


def test_a_test_is_signed_as_was_answered(town, receiver):
    ping = WebhookNotice(
        delivery_id="whd_1", session_id="webhook_1", project_id="p", subscription_id="webhook_1", url=receiver.url,
        trigger=PING, body="{}", created_at_ms=0,
    )  # fmt: skip
    town.knows_hook = False
    town.log.send_future(topics.WEBHOOK_NOTICES, b"webhook_1", CODEC.encode(topics.WEBHOOK_NOTICES, ping), 0)
    for _ in range(3):
        town.deliverer.step(0)
    assert not town.deliverer._answers
    town.knows_hook = True
    town.until(are_over(town, 1))
    [told] = receiver.told
    assert told.headers["x-webhook-signature"]
