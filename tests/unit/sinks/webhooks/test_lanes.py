"""Order within a lane, what holds back whom, and what is known again after a restart."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import DeliveryAttempt, DeliveryStatus, WebhookNotice
from sinks.webhooks.lanes import PATIENCE_MS, Lanes

NOTICE = WebhookNotice(
    delivery_id="whd_0", session_id="app_1", project_id="p", subscription_id="webhook_1", url="https://a",
    trigger="bot.state_change", body='{"data":{"n":0},"trigger":"x"}',
    created_at_ms=0,
)  # fmt: skip


def notice(number, **changed):
    return replace(NOTICE, delivery_id=f"whd_{number}", **changed)


def accept(lanes, *numbers, offset=0, **changed):
    return [lanes.accept(0, offset + index, notice(number, **changed)) for index, number in enumerate(numbers)]


def begun(lanes, now_ms=0):
    found = []
    for delivery in lanes.due(now_ms):
        lanes.begin(delivery, now_ms)
        found.append(delivery)
    return found


def failed(lanes, delivery, at_ms, due_ms):
    return lanes.finish(delivery, DeliveryAttempt(at_ms=at_ms, status_code=500), DeliveryStatus.PENDING, due_ms)


def taken(lanes, delivery, at_ms=0):
    return lanes.finish(delivery, DeliveryAttempt(at_ms=at_ms, status_code=200), DeliveryStatus.DELIVERED, at_ms)


def ids(deliveries):
    return [delivery.delivery_id for delivery in deliveries]


def test_one_after_the_other_with_numbers():
    lanes = Lanes()
    made = accept(lanes, 0, 1, 2)
    assert [delivery.sequence for delivery in made] == [0, 1, 2]
    assert json.loads(made[2].body) == {"data": {"n": 0}, "sequence": 2, "trigger": "x"}
    assert made[2].body == '{"data":{"n":0},"sequence":2,"trigger":"x"}', "still canonical"
    for number in range(3):
        [delivery] = begun(lanes)
        assert delivery.delivery_id == f"whd_{number}"
        assert begun(lanes) == []
        taken(lanes, delivery)
    assert lanes.waiting == 0


def test_lanes_do_not_wait_for_each_other():
    lanes = Lanes()
    accept(lanes, 0)
    accept(lanes, 1, offset=1, subscription_id="webhook_2")
    accept(lanes, 2, offset=2, session_id="app_2")
    found = begun(lanes)
    assert sorted(ids(found)) == ["whd_0", "whd_1", "whd_2"]
    assert {delivery.sequence for delivery in found} == {0}


def test_what_failed_holds_back_the_others_for_five_minutes_and_then_nobody():
    lanes = Lanes()
    accept(lanes, 0, 1, 2)
    [first] = begun(lanes)
    assert lanes.failing == {}
    failed(lanes, first, at_ms=0, due_ms=PATIENCE_MS * 3)
    assert lanes.failing == {"webhook_1": 1}
    assert begun(lanes, PATIENCE_MS - 1) == []
    [second] = begun(lanes, PATIENCE_MS)
    assert second.delivery_id == "whd_1"
    taken(lanes, second, PATIENCE_MS)
    assert ids(begun(lanes, PATIENCE_MS)) == ["whd_2"]
    [again] = begun(lanes, PATIENCE_MS * 3)
    assert again.delivery_id == "whd_0", "and it is tried beside them"
    taken(lanes, again, PATIENCE_MS * 3)
    assert lanes.failing == {}


def test_who_fails_is_known_by_subscription_and_session():
    lanes = Lanes()
    for number, session in enumerate(("app_1", "app_2", "app_3")):
        accept(lanes, number, offset=number, session_id=session, subscription_id="webhook_2" if number else "webhook_1")
    for delivery in begun(lanes):
        failed(lanes, delivery, at_ms=0, due_ms=PATIENCE_MS)
    assert lanes.failing == {"webhook_1": 1, "webhook_2": 2}


def test_a_notice_that_is_written_twice_is_told_once():
    lanes = Lanes()
    assert accept(lanes, 0, 1)
    assert accept(lanes, 0, 1, offset=2) == [None, None], "announced again by a successor"
    assert accept(lanes, 0, offset=1) == [None], "read again"
    assert [delivery.sequence for delivery in accept(lanes, 2, offset=4)] == [2]
    taken(lanes, begun(lanes)[0])
    assert accept(lanes, 0, offset=5) == [None], "announced again when it was over"


def test_a_notice_that_is_written_twice_is_told_once_after_a_restart():
    before, after = Lanes(), Lanes()
    for delivery in accept(before, 0, 1):
        after.load(0, delivery)
    assert accept(after, 1, 0, offset=2) == [None, None]


def test_making_a_delivery_again_keeps_its_number_and_body():
    lanes = Lanes()
    [made] = accept(lanes, 0)
    taken(lanes, begun(lanes)[0])
    again = lanes.accept(0, 1, notice(0, sequence=made.sequence, body=made.body))
    assert (again.sequence, again.body, again.status) == (0, made.body, DeliveryStatus.PENDING)
    assert begun(lanes) == [again]
    assert [delivery.sequence for delivery in accept(lanes, 1, offset=2)] == [1]


def test_not_before_its_time():
    lanes = Lanes()
    accept(lanes, 0, 1, not_before_ms=500)
    assert begun(lanes, 499) == []
    assert len(begun(lanes, 500)) == 1


def test_what_has_moved_away_is_not_finished_here():
    lanes = Lanes()
    accept(lanes, 0)
    [delivery] = begun(lanes)
    lanes.drop({0})
    assert lanes.waiting == 0
    assert taken(lanes, delivery) is None
    assert begun(lanes) == []


def test_deferred_is_asked_again_then():
    lanes = Lanes()
    accept(lanes, 0)
    for delivery in lanes.due(0):
        lanes.defer(delivery, 200)
    assert begun(lanes, 199) == []
    assert len(begun(lanes, 200)) == 1


def test_lanes_of_long_ago_are_forgotten_unless_something_waits_in_them():
    lanes = Lanes()
    for number, session in enumerate(("app_old", "app_waiting", "app_new")):
        accept(lanes, number, offset=number, session_id=session, created_at_ms=100 if session == "app_new" else 99)
    for delivery in begun(lanes):
        if delivery.session_id != "app_waiting":
            taken(lanes, delivery)
    lanes.forget(100)
    assert sorted(session for session, _ in lanes._lanes) == ["app_new", "app_waiting"]
    assert lanes.waiting == 1
    assert [made.sequence for made in accept(lanes, 3, offset=3, session_id="app_new")] == [1]


class Log:
    """Lanes, and what they would find in the log after a restart."""

    def __init__(self):
        self.lanes, self.written, self.notices, self.told, self.now_ms = Lanes(), {}, [], [], 0

    def notice(self, number):
        self.notices.append(notice(len(self.notices), session_id=f"app_{number}"))
        made = self.lanes.accept(0, len(self.notices) - 1, self.notices[-1])
        self.written[made.delivery_id] = made

    def read_again(self, number):
        if self.notices:
            offset = number % len(self.notices)
            assert self.lanes.accept(0, offset, self.notices[offset]) is None

    def restart(self, _):
        """Whatever was under way is forgotten."""
        self.lanes = Lanes()
        for delivery in self.written.values():
            self.lanes.load(0, delivery)

    def take(self, _):
        for delivery in begun(self.lanes, self.now_ms):
            self.told.append((delivery.session_id, delivery.sequence))
            self.written[delivery.delivery_id] = taken(self.lanes, delivery, self.now_ms)[1]

    def fail(self, _):
        for delivery in begun(self.lanes, self.now_ms):
            after = failed(self.lanes, delivery, self.now_ms, self.now_ms + 1000)
            self.written[delivery.delivery_id] = after[1]

    def begin(self, _):
        begun(self.lanes, self.now_ms)


def is_waiting(delivery):
    return delivery.status is DeliveryStatus.PENDING


def failing(deliveries):
    """The sessions whose first delivery that waits was tried."""
    firsts = {}
    for delivery in filter(is_waiting, deliveries):
        firsts.setdefault(delivery.session_id, delivery)
    return [first for first in firsts.values() if first.attempts]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([Log.notice, Log.read_again, Log.restart, Log.take, Log.fail, Log.begin]), st.integers(0, 3)
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_everything_is_taken_in_order_and_numbered_without_holes(steps):
    """Time does not run long enough for anything to be passed by; what was under way at a restart is tried again."""
    log = Log()
    for do, number in steps:
        log.now_ms += 100
        do(log, number)
        assert log.lanes.waiting == sum(map(is_waiting, log.written.values()))
        assert log.lanes.failing.total() == len(failing(log.written.values()))
    log.restart(0)
    for _ in range(len(log.notices) + 1):
        log.now_ms += 2000
        log.take(0)
    assert log.lanes.waiting == 0
    assert len(log.told) == len(log.notices)
    for session in {session for session, _ in log.told}:
        assert [number for owner, number in log.told if owner == session] == list(
            range(sum(entry.session_id == session for entry in log.notices))
        )
