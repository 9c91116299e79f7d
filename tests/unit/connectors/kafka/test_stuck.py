"""A producer is stuck when its records stand still for long while their leader answers others, and only then."""

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.kafka.records import Place
from connectors.kafka.stuck import (
    ANSWER_PATIENCE_S,
    LOOK_S,
    PATIENCE_S,
    SUSPICIOUS_S,
    Standstill,
    Undoing,
    Waiting,
    waiting,
)

AUDIO, VIDEO = Place("rtms.audio", 3), Place("rtms.video", 4)
HOUR_S = 3_600.0


@dataclass
class Story:
    """Looks every five seconds, as a guard does: what waits, and which leaders answer, at a time."""

    waits: Callable[[float], dict[Place, Waiting]]
    led: Callable[[float], set[Place]]
    standstill: Standstill = field(default_factory=Standstill)
    now_s: float = 1_000.0
    asked: list[float] = field(default_factory=list)

    def until(self, end_s: float, every_s: float = LOOK_S) -> float | None:
        """When something was found stuck, counted from the beginning; None: nothing was."""
        at_s = 0.0
        while at_s <= end_s:
            self.standstill.look(self.waits(at_s), self.now_s + at_s)
            if suspects := self.standstill.suspects:
                self.asked.append(at_s)
                if self.standstill.hear(suspects, self.led(at_s)):
                    return at_s
            at_s += every_s
        return None


def at(acked: float, is_sent: bool = False) -> Waiting:
    return Waiting(int(acked), is_sent)


def standing(_at_s: float) -> dict[Place, Waiting]:
    return {AUDIO: at(7)}


def both(_at_s: float) -> set[Place]:
    return {AUDIO, VIDEO}


def nobody(_at_s: float) -> set[Place]:
    return set()


def test_records_that_stand_still_before_a_leader_that_answers() -> None:
    found_s = Story(standing, both).until(HOUR_S)
    assert found_s is not None
    assert PATIENCE_S + SUSPICIOUS_S <= found_s <= PATIENCE_S + SUSPICIOUS_S + 2 * LOOK_S


def test_one_partition_is_enough_while_others_go_on() -> None:
    assert Story(lambda at_s: {AUDIO: at(7), VIDEO: at(at_s)}, both).until(HOUR_S) is not None


def test_nobody_is_asked_as_long_as_things_move() -> None:
    story = Story(lambda at_s: {AUDIO: at(at_s / 10), VIDEO: at(at_s)}, both)
    assert story.until(HOUR_S) is None
    assert story.asked == []


def test_who_has_nothing_to_send_is_not_stuck() -> None:
    assert Story(lambda at_s: {AUDIO: at(7)} if at_s % 30 else {}, both).until(HOUR_S) is None


def test_an_outage_of_any_length_is_none_of_it() -> None:
    assert Story(standing, nobody).until(HOUR_S) is None


def test_what_waited_through_an_outage_has_all_the_time_to_begin_again() -> None:
    back_s = 600.0

    def moves_late(at_s: float) -> dict[Place, Waiting]:
        return {AUDIO: at(7 if at_s < back_s + PATIENCE_S else 8)}

    assert Story(moves_late, lambda at_s: both(at_s) if at_s >= back_s else set()).until(back_s + PATIENCE_S) is None


def test_a_request_that_hangs_has_the_time_until_the_library_gives_it_up() -> None:
    found_s = Story(lambda _at_s: {AUDIO: at(7, is_sent=True)}, both).until(HOUR_S)
    assert found_s is not None
    assert found_s >= ANSWER_PATIENCE_S + SUSPICIOUS_S > 60 + LOOK_S, "the minute is the library's socket.timeout.ms"


def test_a_request_that_is_tried_again_and_again_counts_as_one_that_hangs() -> None:
    found_s = Story(lambda at_s: {AUDIO: at(7, is_sent=at_s % 25 == 0)}, both).until(HOUR_S)
    assert found_s is not None
    assert found_s >= ANSWER_PATIENCE_S + SUSPICIOUS_S


def test_what_was_sent_before_the_leader_answered_makes_nobody_wait() -> None:
    story = Story(lambda at_s: {AUDIO: at(7, is_sent=at_s < 100)}, lambda at_s: both(at_s) if at_s > 200 else set())
    found_s = story.until(HOUR_S)
    assert found_s is not None
    assert found_s <= 200 + PATIENCE_S + 2 * LOOK_S


def test_a_leader_that_comes_and_goes_begins_it_anew() -> None:
    assert Story(standing, lambda at_s: both(at_s) if at_s % 30 else set()).until(HOUR_S) is None


def test_the_leader_of_another_partition_says_nothing() -> None:
    assert Story(standing, lambda _at_s: {VIDEO}).until(HOUR_S) is None


def test_a_process_that_sleeps_has_not_waited() -> None:
    story = Story(standing, both)
    assert story.until(SUSPICIOUS_S + LOOK_S) is None
    story.now_s += HOUR_S
    assert story.until(2 * LOOK_S) is None, "it has not had the time to send anything"


def test_a_machine_that_looks_too_late_waits_longer_not_shorter() -> None:
    found_s = Story(standing, both).until(HOUR_S, every_s=60.0)
    assert found_s is not None
    assert found_s > 2 * PATIENCE_S


def test_an_answer_about_what_moves_meanwhile_convicts_nobody() -> None:
    standstill = Standstill()
    for at_s in range(0, 400, 5):
        standstill.look({AUDIO: at(7)}, at_s)
        standstill.hear({AUDIO}, {AUDIO})
    standstill.look({AUDIO: at(8)}, 401)
    assert standstill.hear({AUDIO}, {AUDIO}) == frozenset()
    standstill.look({}, 405)
    assert standstill.hear({AUDIO}, {AUDIO}) == frozenset()


def test_what_waits_is_read_from_the_librarys_statistics() -> None:
    def partition(queued: int, sending: int, inflight: int, acked: int) -> str:
        return (
            f'{{"partition": 0, "msgq_cnt": {queued}, "xmit_msgq_cnt": {sending}, "leader": 1,'
            f' "msgs_inflight": {inflight}, "acked_msgid": {acked}}}'
        )

    text = (
        '{"name": "rdkafka#producer-1", "topics": {"rtms.audio": {"topic": "rtms.audio", "partitions": {'
        f'"0": {partition(0, 0, 0, 9)}, "1": {partition(2, 0, 0, 3)}, "2": {partition(0, 1, 0, 4)},'
        f' "3": {partition(0, 0, 5, 6)}, "-1": {partition(1, 0, 0, 0)}}}}}}}}}'
    )
    assert waiting(text) == {
        Place("rtms.audio", 1): at(3),
        Place("rtms.audio", 2): at(4),
        Place("rtms.audio", 3): at(6, is_sent=True),
    }


def test_transactions_that_are_undone_again_and_again() -> None:
    undoing = Undoing()
    asked = [at_s for at_s in range(0, 200, 6) if undoing.aborted(1_000.0 + at_s)]
    assert asked
    assert ANSWER_PATIENCE_S <= asked[0] <= ANSWER_PATIENCE_S + 6


def test_a_transaction_that_succeeds_in_between_ends_the_suspicion() -> None:
    undoing = Undoing()
    for at_s in range(0, 600, 6):
        if at_s % 60 == 0:
            undoing.committed()
        assert not undoing.aborted(at_s)


def test_rebalances_now_and_then_are_no_reason() -> None:
    undoing = Undoing()
    assert not any(undoing.aborted(hour * HOUR_S) for hour in range(9))
