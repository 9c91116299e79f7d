"""What the webhooks sink counts."""

from collections import Counter
from collections.abc import Set

from connectors.host.metrics import counter, gauge, histogram

NOTICES = counter("rtms_sink_webhooks_notices_total", "notices written, one per receiver and news", ["trigger"])
ATTEMPTS = counter("rtms_sink_webhooks_attempts_total", "attempts by what came of them", ["outcome"])
DELIVERIES = counter("rtms_sink_webhooks_deliveries_total", "deliveries that are over", ["status"])
WAITING = gauge("rtms_sink_webhooks_waiting", "deliveries that are not over")
FAILING = gauge("rtms_sink_webhooks_failing", "receivers of a session that did not take the last that they were told")
FAILING_MOST = gauge(
    "rtms_sink_webhooks_failing_most",
    "sessions whose receiver fails, by subscription; of each process the ten with the most",
    ["subscription_id"],
)
LATENCY = histogram("rtms_sink_webhooks_first_attempt_seconds", "from the news' record to the first answer")
KNOWN = gauge("rtms_sink_webhooks_known", "sessions, subscriptions and projects that are held", ["topic"])
LOST = counter("rtms_sink_webhooks_lost_total", "stretches of an input that retention took unread", ["topic"])

WORST = 10
"""So many subscriptions that fail are named by a process."""


def tell_who_fails(failing: Counter[str], named: Set[str]) -> Set[str]:
    """How many, and the worst by name: whoever else fails has to be looked up. Takes and gives who is named."""
    worst = dict(failing.most_common(WORST))
    FAILING.set(failing.total())
    for subscription_id in named - worst.keys():
        FAILING_MOST.remove(subscription_id)
    for subscription_id, sessions in worst.items():
        FAILING_MOST.labels(subscription_id).set(sessions)
    return worst.keys()
