"""Where a screen and the speaker stand on the canvas."""

from hypothesis import given
from hypothesis import strategies as st

from processors.composing.layouts import Box, fitted, layout
from processors.muxing.h264 import Size
from schemas.settings import COMPOSED, RecordingView

HD, WIDE, UPRIGHT = Size(1280, 720), Size(1920, 1080), Size(720, 1280)
SIDE_BY_SIDE, INSET = RecordingView.SIDE_BY_SIDE, RecordingView.SHARED_SCREEN_WITH_SPEAKER
SIDES = st.integers(8, 2200).map(lambda half: 2 * half)
SIZES = st.builds(Size, SIDES, SIDES)


def test_side_by_side_the_speaker_is_in_a_bar_at_the_right_level_with_the_screen() -> None:
    assert layout(SIDE_BY_SIDE, HD, WIDE, HD) == (Box(0, 72, 1024, 576), Box(1024, 72, 256, 144))


def test_the_speaker_stands_in_the_upper_right_corner_of_the_screen() -> None:
    assert layout(INSET, HD, WIDE, HD) == (Box(0, 0, 1280, 720), Box(1008, 16, 256, 144))


def test_whoever_is_alone_has_the_canvas() -> None:
    for view in COMPOSED:
        assert layout(view, HD, WIDE, None) == (Box(0, 0, 1280, 720), None)
        assert layout(view, HD, None, UPRIGHT) == (None, Box(438, 0, 404, 720))
        assert layout(view, HD, None, None) == (None, None)


@given(SIZES, SIZES, st.sampled_from([HD, Size(320, 180), UPRIGHT]), st.sampled_from(sorted(COMPOSED)))
def test_nothing_sticks_out_or_is_stretched(screen: Size, speaker: Size, canvas: Size, view: RecordingView) -> None:
    where = layout(view, canvas, screen, speaker)
    for size, box in zip((screen, speaker), where, strict=True):
        assert box is not None
        assert min(box.x, box.y) >= 0
        assert box.x + box.width <= canvas.width
        assert box.y + box.height <= canvas.height
        assert all(side % 2 == 0 for side in box)
        exact = box.width * size.height / size.width
        assert abs(box.height - exact) <= 2 + 2 * size.height / size.width or box.height == 2
    if view is SIDE_BY_SIDE:
        assert where.screen is not None
        assert where.speaker is not None
        assert where.screen.x + where.screen.width <= where.speaker.x


@given(SIZES, SIZES)
def test_a_picture_is_as_large_as_there_is_room(size: Size, room: Size) -> None:
    box = fitted(size, Box(0, 0, *room))
    assert box.width > room.width - 4 or box.height > room.height - 4
