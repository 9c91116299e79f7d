"""A real decoder agrees that the hand-made picture is black, of the size asked for, and decodable by itself."""

import av
import pytest

from processors.muxing.black import black_picture
from processors.muxing.h264 import Size, sequence

SIZES = [
    Size(640, 360),
    Size(1280, 720),
    Size(1920, 1080),
    Size(2560, 1440),
    Size(16, 16),
    Size(18, 34),
    Size(360, 640),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_is_black_and_of_the_size_asked_for(size: Size) -> None:
    decoder = av.CodecContext.create("h264", "r")
    frames = []
    for parity in (0, 1, 0):
        data = b"".join(b"\0\0\0\1" + nal for nal in black_picture(size, parity).nals)
        frames += decoder.decode(av.Packet(data))
    frames += decoder.decode(None)
    assert len(frames) == 3
    for frame in frames:
        assert (frame.width, frame.height) == size
        planes = frame.to_ndarray()
        assert (planes[: size.height] == 16).all()
        assert (planes[size.height :] == 128).all()


def test_its_own_parameter_set_says_its_size() -> None:
    assert [sequence(black_picture(size, 0).sps).size for size in SIZES] == SIZES


def test_neighbours_differ_as_the_standard_wants() -> None:
    assert len({black_picture(SIZES[0], parity).slice for parity in (0, 1, 2)}) == 3


def test_it_is_small() -> None:
    assert sum(map(len, black_picture(Size(1280, 720), 0).nals)) < 4200
