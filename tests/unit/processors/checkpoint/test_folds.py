"""What one topic's order alone decides."""

from processors.checkpoint.folds import FOREVER_MS, MAX_AHEAD_MS, MAX_OFF_MS, NEVER_MS, Fold, Slack
from schemas.records import MediaRecord, RecordKind
from tests.support.toy_processor import AUDIO, control, frame

SLACK_MS = 100
SLACK = Slack(SLACK_MS)
NOON_MS = 1_760_000_000_000


def folded(*records: MediaRecord, fold: Fold | None = None) -> Fold:
    fold = fold or Fold()
    for record in records:
        fold = fold.leaving_out(record) or fold.counting(record).advanced(record, SLACK)
    return fold


def begin(epoch: int, ms: int = 0) -> MediaRecord:
    return control("s", "begin", 0, ms, epoch)


def at(ms: int, sequence: int = 1, epoch: int = 7) -> MediaRecord:
    return frame("s", AUDIO, sequence, ms, epoch)


def test_frames_advance_the_watermark_by_their_time_less_the_slack():
    assert folded(at(5000)).watermark_ms == 5000 - SLACK_MS
    assert folded(at(5000), at(4950, 2)).watermark_ms == 5000 - SLACK_MS


def test_a_tick_advances_it_without_slack_and_never_back():
    assert folded(at(5000), control("s", "tick", 2, 6000)).watermark_ms == 6000
    assert folded(at(5000), control("s", "tick", 2, 4000)).watermark_ms == 5000 - SLACK_MS


def test_a_frame_may_lag_behind_a_tick_where_there_is_slack_for_it():
    fold = Fold().advanced(control("s", "tick", 2, 6000), Slack(SLACK_MS, 1000))
    assert (fold.is_in_time(at(5000)), fold.is_in_time(at(4999))) == (True, False)


def test_belated_is_what_a_tick_denied_and_is_taken_all_the_same():
    fold = Fold().advanced(control("s", "tick", 2, 6000), Slack(SLACK_MS, 0, 1000))
    assert [(fold.is_belated(at(ms)), fold.is_in_time(at(ms))) for ms in (6000, 5999, 5000, 4999)] == [
        (False, True), (True, True), (True, True), (True, False),
    ]  # fmt: skip
    assert not fold.advanced(at(5999), Slack(SLACK_MS, 0, 1000)).is_in_time(at(5898))


def test_a_fold_of_an_older_release_has_nothing_that_is_belated():
    older = {name: value for name, value in Fold(epoch=4, watermark_ms=17).to_json().items() if name != "late_ms"}
    assert Fold.from_json(older).late_ms == 17


def test_a_begin_leaves_the_watermark_and_the_end_is_for_ever():
    assert folded(control("s", "begin", 0, 9000)).watermark_ms == NEVER_MS
    end = folded(at(5000), control("s", "end", 2, 5000))
    assert (end.watermark_ms, end.ended) == (FOREVER_MS, True)


def test_late_is_what_lies_before_the_watermark():
    fold = folded(at(5000))
    assert fold.is_in_time(at(5000 - SLACK_MS))
    assert not fold.is_in_time(at(5000 - SLACK_MS - 1))
    assert folded(at(4000, 2), fold=fold).late == 1


def test_a_frame_from_the_far_future_is_counted_and_not_believed():
    fold = folded(at(5000))
    absurd = at(5000 - SLACK_MS + MAX_AHEAD_MS + 1, 2)
    after = folded(absurd, fold=fold)
    assert (after.watermark_ms, after.implausible, after.frames) == (fold.watermark_ms, 1, 1)
    assert folded(control("s", "tick", 2, 5000 + 2 * MAX_AHEAD_MS), fold=fold).watermark_ms == fold.watermark_ms


def test_what_follows_when_nobody_was_connected_for_hours_is_believed():
    later_ms = NOON_MS + 3 * MAX_AHEAD_MS
    before = folded(begin(7, NOON_MS), at(NOON_MS), begin(8, later_ms))
    after = folded(at(later_ms, epoch=8), control("s", "tick", 2, later_ms + 2000, 8), fold=before)
    assert (after.implausible, after.watermark_ms) == (0, later_ms + 2000)
    assert folded(at(later_ms + MAX_AHEAD_MS + 1, epoch=8), fold=before).implausible == 1


def test_a_first_frame_from_before_the_session_does_not_make_the_others_implausible():
    fold = folded(begin(7, NOON_MS), at(NOON_MS - 2 * MAX_AHEAD_MS), at(NOON_MS, 2))
    assert (fold.implausible, fold.watermark_ms) == (0, NOON_MS - SLACK_MS)


def test_a_frame_from_the_far_past_is_no_late_one():
    fold = folded(at(NOON_MS))
    assert folded(at(NOON_MS - MAX_OFF_MS, 2), fold=fold).late == 1
    for absurd_ms in (0, -1, -(2**62), NOON_MS - 2 * MAX_OFF_MS):
        assert folded(at(absurd_ms, 10**6), fold=fold) == fold._replace(implausible=1)


def test_holes_in_the_sequence_are_missing_frames_unless_the_epoch_is_new():
    assert folded(begin(7), at(1, 1), at(2, 5)).missing == 3
    assert folded(begin(7), at(1, 1), at(2, 2)).missing == 0
    assert folded(begin(7), at(1, 1), at(2, 3), at(3, 2)).missing == 1
    assert folded(begin(7), at(1, 1), begin(8), at(2, 5, epoch=8)).missing == 4


def test_an_older_epoch_is_stale_and_one_that_has_not_begun_is_foreign():
    fold = folded(begin(7), at(1))
    assert [fold.is_stale(at(1, epoch=epoch)) for epoch in (6, 7, 8)] == [True, False, False]
    assert [fold.is_foreign(at(1, epoch=epoch)) for epoch in (6, 7, 8, 2**62)] == [False, False, True, True]
    assert fold.is_foreign(control("s", "tick", 2, 1, 8))
    assert not fold.is_foreign(control("s", "begin", 0, 1, 8))
    assert not fold.is_foreign(control("s", "end", 0, 1, 8))
    assert folded(at(1, epoch=6), fold=fold) == fold._replace(stale=1)
    assert folded(at(1, epoch=2**62), fold=fold) == fold._replace(foreign=1)


def test_where_retention_took_the_begin_the_rest_is_taken_as_it_is():
    fold = folded(at(1, epoch=7))
    assert not fold.is_foreign(at(2, epoch=8))
    assert folded(begin(8), fold=fold).is_stale(at(3, epoch=7))


def test_a_first_frame_is_measured_by_when_its_epoch_began():
    fold = folded(begin(7, NOON_MS))
    for absurd_ms in (0, -1, -(2**62), 2**62, NOON_MS - MAX_OFF_MS - 1, NOON_MS + MAX_OFF_MS + 1):
        assert folded(at(absurd_ms), fold=fold) == fold._replace(implausible=1)
        assert folded(control("s", "tick", 1, absurd_ms), fold=fold).watermark_ms == NEVER_MS
    assert folded(at(0), at(NOON_MS + 5), fold=fold).watermark_ms == NOON_MS + 5 - SLACK_MS
    assert folded(control("s", RecordKind.UNKNOWN, 2, 1), fold=fold) == fold._replace(unknown=1)


def test_a_kind_nobody_knows_is_counted():
    fold = folded(begin(7))
    assert folded(control("s", RecordKind.UNKNOWN, 2, 1), fold=fold) == fold._replace(unknown=1)


def test_a_fold_survives_json():
    fold = Fold(epoch=4, sequence=9, watermark_ms=17, ended=True, late=2, part={"a": [1]})
    assert Fold.from_json(fold.to_json()) == fold
