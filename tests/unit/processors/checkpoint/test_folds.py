"""What one topic's order alone decides."""

from processors.checkpoint.folds import FOREVER_MS, MAX_AHEAD_MS, NEVER_MS, Fold
from schemas.records import MediaRecord, RecordKind
from tests.support.toy_processor import AUDIO, control, frame

SLACK_MS = 100


def folded(*records: MediaRecord, fold: Fold | None = None) -> Fold:
    fold = fold or Fold()
    for record in records:
        fold = fold.counting(record).advanced(record, SLACK_MS)
    return fold


def at(ms: int, sequence: int = 1, epoch: int = 7) -> MediaRecord:
    return frame("s", AUDIO, sequence, ms, epoch)


def test_frames_advance_the_watermark_by_their_time_less_the_slack():
    assert folded(at(5000)).watermark_ms == 5000 - SLACK_MS
    assert folded(at(5000), at(4950, 2)).watermark_ms == 5000 - SLACK_MS


def test_a_tick_advances_it_without_slack_and_never_back():
    assert folded(at(5000), control("s", "tick", 2, 6000)).watermark_ms == 6000
    assert folded(at(5000), control("s", "tick", 2, 4000)).watermark_ms == 5000 - SLACK_MS


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
    assert not fold.is_in_time(absurd)
    after = folded(absurd, fold=fold)
    assert (after.watermark_ms, after.implausible) == (fold.watermark_ms, 1)
    assert folded(control("s", "tick", 2, 5000 + 2 * MAX_AHEAD_MS), fold=fold).watermark_ms == fold.watermark_ms


def test_holes_in_the_sequence_are_missing_frames_unless_the_epoch_is_new():
    assert folded(at(1, 1), at(2, 5)).missing == 3
    assert folded(at(1, 1), at(2, 2)).missing == 0
    assert folded(at(1, 5), at(2, 3)).missing == 0
    assert folded(at(1, 1), at(2, 5, epoch=8)).missing == 0


def test_only_an_older_epoch_is_stale():
    fold = folded(at(1, epoch=7))
    assert [fold.is_stale(at(1, epoch=epoch)) for epoch in (6, 7, 8)] == [True, False, False]
    assert fold.leaving_out(at(1, epoch=6)).stale == 1
    assert fold.leaving_out(control("s", RecordKind.UNKNOWN, 2, 1)).unknown == 1


def test_a_fold_survives_json():
    fold = Fold(epoch=4, sequence=9, watermark_ms=17, ended=True, late=2, part={"a": [1]})
    assert Fold.from_json(fold.to_json()) == fold
