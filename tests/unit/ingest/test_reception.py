"""A socket is lost and opened again within an epoch: what the worker states to be missing."""

from collections.abc import Iterable

from ingest.reception import EVERY_MEDIUM, Reception
from schemas.records import Hole

T = 1_000_000
MEDIA = [medium for medium in EVERY_MEDIUM if medium != "events"]


def heard() -> Reception:
    reception = Reception(chunk_ms=100)
    reception.ready(T)
    reception.frame("audio", T + 4_900)
    reception.frame("video", T + 5_000)
    reception.tick("share", T + 4_500)
    return reception


def stretches(holes: Iterable[Hole]) -> dict[str, tuple[int, int]]:
    return {hole.medium: (hole.from_ms - T, hole.to_ms - T) for hole in holes}


def test_nothing_is_missing_while_nothing_is_lost() -> None:
    reception = heard()
    reception.ready(T + 6_000)
    reception.frame("video", T + 90_000)
    reception.over(T + 99_000)
    assert list(reception.take_holes()) == []


def test_each_medium_from_its_last_to_its_first() -> None:
    reception = heard()
    reception.lost(MEDIA)
    reception.frame("video", T + 5_040)
    reception.ready(T + 12_000)
    reception.frame("audio", T + 5_600)
    reception.frame("video", T + 12_100)
    reception.tick("share", T + 12_300)
    reception.frame("captions", T + 4_000)
    assert stretches(reception.take_holes()) == {
        "audio": (4_900, 5_700), "video": (5_040, 12_100), "share": (4_500, 12_250), "captions": (0, 12_000),
    }  # fmt: skip
    reception.frame("video", T + 20_000)
    reception.tick("events", T + 20_000)
    assert list(reception.take_holes()) == [], "stated once; what kept its socket lacks nothing"


def test_what_has_its_socket_later_is_missing_for_longer() -> None:
    reception = heard()
    reception.lost(MEDIA)
    reception.ready(T + 12_000, {"captions", "video"})
    reception.tick("chat", T + 12_300)
    reception.ready(T + 40_000)
    reception.tick("captions", T + 40_500)
    reception.tick("video", T + 40_500)
    assert stretches(reception.take_holes()) == {"chat": (0, 12_250), "captions": (0, 40_250), "video": (5_000, 40_250)}


def sound_again(reception: Reception, at_ms: int) -> dict[str, tuple[int, int]]:
    """Its socket is there again after 7 s, and this is the first chunk on it."""
    reception.ready(T + 12_000)
    reception.frame("audio", at_ms)
    return stretches(reception.take_holes())


def test_sound_that_the_buffer_repeated_is_not_missing() -> None:
    reception = heard()
    reception.lost(["audio"])
    assert sound_again(reception, T + 4_900) == {}


def test_where_everybody_is_one_nobody_else_can_be_missing() -> None:
    reception = heard()
    reception.is_mixed = True
    reception.lost(["audio"])
    assert sound_again(reception, T + 5_000) == {}
    reception.lost(["audio"])
    assert sound_again(reception, T + 5_200) == {"audio": (5_100, 5_200)}


def test_sound_of_a_socket_that_zoom_closed_itself_is_whole() -> None:
    reception = heard()
    reception.lost(["audio"], closed_ms=T + 7_000)
    assert sound_again(reception, T + 6_000) == {}
    reception.lost(["audio"])
    reception.lost(["audio"], closed_ms=T + 7_000)
    assert sound_again(reception, T + 6_300) == {"audio": (6_000, 6_400)}, "the first loss decides"


def test_lost_twice_is_one_hole() -> None:
    reception = heard()
    reception.lost(["video"])
    reception.ready(T + 8_000)
    reception.lost(["video"])
    reception.ready(T + 15_000)
    reception.frame("video", T + 15_040)
    assert stretches(reception.take_holes()) == {"video": (5_000, 15_040)}


def test_what_does_not_come_back_is_missing_to_the_end() -> None:
    reception = heard()
    reception.lost(["video", "share"])
    reception.over(T + 70_000)
    assert stretches(reception.take_holes()) == {"video": (5_000, 70_000), "share": (4_500, 70_000)}


def test_an_end_that_closed_the_sockets_first_is_no_hole() -> None:
    reception = heard()
    reception.lost(MEDIA)
    reception.over(T + 6_000)
    assert stretches(reception.take_holes()).keys() == {"captions", "chat"}, "of which nothing was known for long"


def test_an_end_that_is_heard_late_is_no_hole_where_zoom_had_closed_the_sockets_just_before() -> None:
    """Of captions, which are rare, nothing was known for long; all of the end waited here to be read."""
    reception = heard()
    reception.lost(MEDIA, closed_ms=T + 9_000)
    reception.over(T + 12_000)
    assert list(reception.take_holes()) == []


def test_what_zoom_closed_long_before_the_end_is_missing_from_what_is_known() -> None:
    reception = heard()
    reception.lost(["video", "captions"], closed_ms=T + 9_000)
    reception.over(T + 12_001)
    assert stretches(reception.take_holes()) == {"video": (5_000, 12_001), "captions": (0, 12_001)}


def test_before_the_first_connection_there_is_nothing_to_lose() -> None:
    reception = Reception()
    reception.lost(EVERY_MEDIUM)
    reception.over(T)
    assert list(reception.take_holes()) == []
