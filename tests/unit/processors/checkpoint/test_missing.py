"""What a topic lost between two epochs, told from its records in order."""

from collections.abc import Iterable
from dataclasses import replace

from processors.checkpoint.missing import Missing
from processors.checkpoint.sessions import Session, SessionKey
from schemas.records import NO_EPOCH, Hole, MediaRecord
from schemas.seams import TAKES_WORD_MS
from tests.support.toy_processor import AUDIO, CAPTIONS, VIDEO, ToyLogic, control, frame

T = 1_000_000
SECOND = T + 20_000


def stated(topic: str, records: Iterable[MediaRecord], logic: ToyLogic | None = None) -> list[tuple[str, int, int]]:
    session = Session(SessionKey(0, "s"), logic or ToyLogic())
    works = [window.work for at, record in enumerate(records) for window in session.feed(topic, at, record, 1)]
    return [told(work.hole) for work in works if isinstance(work, Missing)]


def told(hole: Hole) -> tuple[str, int, int]:
    return hole.medium, hole.from_ms - T, hole.to_ms - T


def first(topic: str) -> list[MediaRecord]:
    begin = control("s", "begin", 0, T)
    return [
        begin,
        frame("s", topic, 1, T + 9_000),
        control("s", "tick", 2, T + 10_000),
        frame("s", topic, 3, T + 9_500),
    ]


def second(topic: str, at_ms: int, epoch: int = 9) -> list[MediaRecord]:
    return [control("s", "begin", 0, SECOND, epoch), frame("s", topic, 1, at_ms, epoch)]


def test_the_first_epoch_lacks_nothing() -> None:
    assert stated(VIDEO, [*first(VIDEO), control("s", "end", 4, T + 11_000)]) == []


def test_from_the_latest_of_the_old_epoch_to_the_first_of_the_new() -> None:
    assert stated(VIDEO, [*first(VIDEO), *second(VIDEO, SECOND + 40)]) == [("video", 10_000, 20_040)]
    assert stated(AUDIO, [*first(AUDIO), *second(AUDIO, T + 10_600)]) == [("audio", 10_000, 10_600)]
    assert stated(AUDIO, [*first(AUDIO), *second(AUDIO, T + 9_900)]) == []
    assert stated(CAPTIONS, [*first(CAPTIONS), *second(CAPTIONS, T + 15_000)]) == [("captions", 10_000, 20_000)]


def test_sound_that_was_handed_over_is_whole_and_pictures_are_not() -> None:
    left, begin = control("s", "handed_over", 4, T + 10_000), control("s", "begin", 0, SECOND, 9)
    assert stated(AUDIO, [*first(AUDIO), left, *second(AUDIO, SECOND - 100)]) == []
    assert stated(AUDIO, [*first(AUDIO), left, begin, control("s", "tick", 1, SECOND + 700, 9)]) == []
    assert stated(VIDEO, [*first(VIDEO), left, *second(VIDEO, SECOND)]) == [("video", 10_000, 20_000)]


def test_a_begin_that_is_written_twice_is_one() -> None:
    """As Kafka's client does where the broker's answer to the first time was lost."""
    left, begin = control("s", "handed_over", 4, T + 10_000), control("s", "begin", 0, SECOND, 9)
    assert stated(VIDEO, [*first(VIDEO), begin, *second(VIDEO, SECOND + 40)]) == [("video", 10_000, 20_040)]
    assert stated(AUDIO, [*first(AUDIO), left, begin, *second(AUDIO, SECOND - 100)]) == []
    assert stated(VIDEO, [*first(VIDEO)[:1], *first(VIDEO), *second(VIDEO, SECOND)]) == [("video", 10_000, 20_000)]


def test_a_hand_over_speaks_for_its_own_epoch_alone() -> None:
    left = control("s", "handed_over", 4, T + 10_000)
    silent = control("s", "begin", 0, T + 15_000, 8)
    assert stated(AUDIO, [*first(AUDIO), left, silent, *second(AUDIO, SECOND)]) == [("audio", 10_000, 20_000)]
    spoke = [*first(AUDIO), left, silent, frame("s", AUDIO, 1, T + 15_100, 8)]
    assert stated(AUDIO, [*spoke, *second(AUDIO, T + 15_900)]) == [("audio", 15_100, 15_900)]
    again = control("s", "handed_over", 1, T + 15_100, 8)
    assert stated(AUDIO, [*first(AUDIO), silent, again, *second(AUDIO, SECOND)]) == [("audio", 10_000, 20_000)]


def test_a_hand_over_speaks_for_nobody_of_whom_nothing_is_here() -> None:
    """Epoch 8 has claimed the session, and was lost before Kafka had its begin, with all that it had heard."""
    left = control("s", "handed_over", 4, T + 10_000)

    def after(follows: int) -> list[tuple[str, int, int]]:
        begin = control("s", "begin", 0, SECOND, 9)
        begin = replace(begin, begin=replace(begin.begin, follows=follows))
        return stated(AUDIO, [*first(AUDIO), left, begin, frame("s", AUDIO, 1, SECOND - 100, 9)])

    assert after(8) == [("audio", 10_000, 19_900)]
    assert after(first(AUDIO)[0].epoch) == after(NO_EPOCH) == []


def test_once_and_not_again_while_the_epoch_goes_on() -> None:
    records = [*first(VIDEO), *second(VIDEO, SECOND), frame("s", VIDEO, 2, SECOND + 500, 9)]
    assert stated(VIDEO, [*records, control("s", "end", 3, SECOND + 600, 9)]) == [("video", 10_000, 20_000)]


def test_silence_after_the_begin_reaches_to_where_zoom_has_surely_heard_of_it() -> None:
    begin, tick = control("s", "begin", 0, SECOND, 9), control("s", "tick", 1, SECOND + 700, 9)
    sure = [("video", 10_000, 20_000 + TAKES_WORD_MS)]
    assert stated(VIDEO, [*first(VIDEO), begin, tick]) == sure
    assert stated(VIDEO, [*first(VIDEO), begin, control("s", "end", 1, SECOND + 700, 9)]) == sure


def test_an_epoch_that_said_nothing_is_part_of_the_hole() -> None:
    begin = control("s", "begin", 0, T + 15_000, 8)
    assert stated(VIDEO, [*first(VIDEO), begin, *second(VIDEO, SECOND)]) == [("video", 10_000, 20_000)]


def test_what_a_woken_worker_still_writes_changes_nothing() -> None:
    late = [frame("s", VIDEO, 4, T + 12_000), control("s", "tick", 5, T + 13_000), control("s", "end", 6, T + 13_000)]
    begin, picture = second(VIDEO, SECOND)
    assert stated(VIDEO, [*first(VIDEO), begin, *late, picture]) == [("video", 10_000, 20_000)]


def test_an_end_by_somebody_who_never_connected() -> None:
    assert stated(VIDEO, [*first(VIDEO), control("s", "end", 0, SECOND, 9)]) == [("video", 10_000, 20_000)]
    assert stated(VIDEO, [*first(VIDEO), control("s", "end", 0, T + 11_000, 9)]) == [], "it was as good as over"
    assert stated(VIDEO, [control("s", "end", 0, SECOND, 9)]) == [], "nobody ever was connected"


def test_only_by_the_processor_that_answers_for_the_topic() -> None:
    class OfVideo(ToyLogic):
        answers_for = (VIDEO,)

    assert stated(CAPTIONS, [*first(CAPTIONS), *second(CAPTIONS, SECOND)], OfVideo()) == []


def test_every_medium_has_exactly_one_processor_that_answers_for_it() -> None:
    from processors.muxing.logic import MuxingLogic
    from processors.participants.logic import ParticipantsLogic
    from processors.transcription.logic import TranscriptionLogic
    from schemas.topics import MEDIA_TOPICS

    logics = MuxingLogic, ParticipantsLogic, TranscriptionLogic
    answered = sorted(topic for logic in logics for topic in logic.answers_for)
    assert answered == sorted(topic.name for topic in MEDIA_TOPICS)
