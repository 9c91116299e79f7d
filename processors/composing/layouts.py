"""Where on the canvas a shared screen and the speaker stand, by the view that was asked for. Pure.

What is not there leaves its place to the other one: alone each fills the canvas. Nothing is ever stretched or cropped,
and all sides are even, because colours are shared by two by two.
"""

from typing import NamedTuple

from processors.muxing.h264 import Size
from schemas.settings import RecordingView

_BAR, _INSET = 5, 5
"""The side bar's part of the canvas' width, and that of the speaker in the corner."""

_MARGIN = 80
"""So much of the width lies between the corner and the speaker in it."""


class Box(NamedTuple):
    """A part of the canvas."""

    x: int
    y: int
    width: int
    height: int


class Layout(NamedTuple):
    """Where each stands; None where it is not there. The speaker is drawn over the screen."""

    screen: Box | None = None
    speaker: Box | None = None


def layout(view: RecordingView, canvas: Size, screen: Size | None, speaker: Size | None) -> Layout:
    """Where pictures of these sizes stand."""
    whole = Box(0, 0, *canvas)
    if screen is None or speaker is None:
        return Layout(screen and fitted(screen, whole), speaker and fitted(speaker, whole))
    if view is RecordingView.SIDE_BY_SIDE:
        bar = canvas.width // _BAR & ~1
        shown = fitted(screen, Box(0, 0, canvas.width - bar, canvas.height))
        beside = fitted(speaker, Box(canvas.width - bar, shown.y, bar, canvas.height - shown.y))
        return Layout(shown, beside._replace(y=shown.y))
    margin, width = canvas.width // _MARGIN & ~1, canvas.width // _INSET & ~1
    inset = fitted(speaker, Box(0, 0, width, canvas.height // 2 & ~1))
    return Layout(fitted(screen, whole), inset._replace(x=canvas.width - margin - inset.width, y=margin))


def fitted(size: Size, box: Box) -> Box:
    """The largest picture of these proportions in a box, in its middle."""
    width = min(box.width, box.height * size.width // size.height) & ~1
    height = min(box.height, box.width * size.height // size.width) & ~1
    width, height = max(width, 2), max(height, 2)
    return Box(box.x + ((box.width - width) // 2 & ~1), box.y + ((box.height - height) // 2 & ~1), width, height)
