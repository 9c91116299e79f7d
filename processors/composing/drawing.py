"""Draws a picture of two: a shared screen, and the speaker. Pure: the same pictures, the same result."""

from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, VideoReformatter

from processors.composing.layouts import Box, layout
from processors.muxing.h264 import Size
from schemas.settings import RecordingView

_LUMA, _CHROMA = 16, 128

Planes = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


class Canvas:
    """Of one size and view; remembers what it scaled last, for a screen seldom changes."""

    def __init__(self, size: Size, view: RecordingView) -> None:
        self._size, self._view = size, view
        self._screen, self._speaker = _Scaler(), _Scaler()

    def drawn(self, screen: av.VideoFrame | None, speaker: av.VideoFrame | None) -> av.VideoFrame:
        """The picture with what is there; black without either."""
        where = layout(self._view, self._size, _size(screen), _size(speaker))
        width, height = self._size
        picture = np.full((height * 3 // 2, width), _CHROMA, np.uint8)
        picture[:height] = _LUMA
        planes = _planes(picture, self._size)
        for box, frame, scaler in ((where.screen, screen, self._screen), (where.speaker, speaker, self._speaker)):
            if box is not None and frame is not None:
                _paste(planes, scaler.scaled(frame, box), box)
        return av.VideoFrame.from_ndarray(picture, format="yuv420p")


class _Scaler:
    """Scales the pictures of one source."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._last: tuple[av.VideoFrame, Box, Planes] | None = None

    def scaled(self, frame: av.VideoFrame, box: Box) -> Planes:
        if self._last is None or self._last[0] is not frame or self._last[1] != box:
            size = Size(box.width, box.height)
            made = self._reformatter.reformat(frame, *size, "yuv420p", dst_color_range=ColorRange.MPEG)
            self._last = frame, box, _planes(np.asarray(made.to_ndarray(), np.uint8), size)
        return self._last[2]


def _size(frame: av.VideoFrame | None) -> Size | None:
    return None if frame is None else Size(frame.width, frame.height)


def _planes(picture: npt.NDArray[np.uint8], size: Size) -> Planes:
    """Views of the luma and the two chroma planes of a picture as the library lays it out."""
    width, height = size
    flat: npt.NDArray[Any] = picture.reshape(-1)
    luma, half = width * height, width * height // 4
    shape = (height // 2, width // 2)
    return (
        picture[:height],
        flat[luma : luma + half].reshape(shape),
        flat[luma + half : luma + 2 * half].reshape(shape),
    )


def _paste(canvas: Planes, picture: Planes, box: Box) -> None:
    for share, (to, of) in zip((1, 2, 2), zip(canvas, picture, strict=True), strict=True):
        x, y = box.x // share, box.y // share
        to[y : y + of.shape[0], x : x + of.shape[1]] = of
