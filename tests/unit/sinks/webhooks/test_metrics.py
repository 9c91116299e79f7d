"""Of receivers that fail, the worst are named, and only for as long as they are."""

from collections import Counter

from sinks.webhooks.metrics import FAILING, FAILING_MOST, WORST, tell_who_fails


def named():
    [told] = FAILING_MOST.collect()
    return {sample.labels["subscription_id"]: sample.value for sample in told.samples}


def test_of_many_the_worst_are_named():
    worst = {f"webhook_{number}": 2 for number in range(WORST)}
    now = tell_who_fails(Counter({"a": 1, **worst, "z": 1}), frozenset())
    assert named() == worst
    [everybody] = [sample.value for told in FAILING.collect() for sample in told.samples]
    assert everybody == 2 * WORST + 2
    now = tell_who_fails(Counter({"a": 1}), now)
    assert named() == {"a": 1}
    tell_who_fails(Counter(), now)
    assert named() == {}
