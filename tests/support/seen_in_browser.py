"""What a picture of `tests.support.media` shows in a browser: its own pixels, not what the file says of it."""

from typing import NamedTuple

from tests.support.browser import Page
from tests.support.media import Shot

_VIDEO = """<video id="v" muted crossorigin="anonymous" preload="auto" src="{url}"></video>"""

_SEEK = """(async () => {
    const v = document.getElementById("v");
    if (v.readyState < 2) await new Promise((done, failed) => { v.onloadeddata = done; v.onerror = failed; });
    v.currentTime = AT_S;
    await new Promise(done => v.onseeked = done);
})()"""

_LOOK = """(() => {
    const v = document.getElementById("v"), canvas = document.createElement("canvas");
    canvas.width = v.videoWidth;
    canvas.height = v.videoHeight;
    const pen = canvas.getContext("2d");
    pen.drawImage(v, 0, 0);
    const row = pen.getImageData(0, Math.floor(canvas.height / 8), canvas.width, 1).data;
    const below = pen.getImageData(Math.floor(canvas.width / 2), Math.floor(canvas.height * 3 / 4), 1, 1).data;
    const columns = Array.from({length: Math.floor(canvas.width / 8)}, (_, at) => row[4 * (8 * at + 4)]);
    return {columns, below: below[1], width: v.videoWidth, duration_s: v.duration};
})()"""


class Seen(NamedTuple):
    """`bar` is the column in which the bar that tells the time stands, None where there is none."""

    width: int
    grey: int
    bar: int | None
    duration_s: float


def opened(page: Page, url: str) -> None:
    page.open(_VIDEO.format(url=url))


def seek(page: Page, at_s: float) -> None:
    """A browser that has sought may go on to show the picture before for a moment."""
    page.run(_SEEK.replace("AT_S", str(at_s)))


def seen(page: Page) -> Seen:
    """What is shown now."""
    found = page.run(_LOOK)
    columns = found["columns"]
    bar = columns.index(max(columns)) if max(columns) > found["below"] + 20 else None
    return Seen(found["width"], found["below"], bar, found["duration_s"])


def drawn_bar(shot: Shot, at_ms: int) -> int:
    """Where the bar is in the picture that is shown at a time."""
    taken_ms = max(time_ms for time_ms in shot.times() if time_ms <= at_ms)
    return taken_ms // 40 % (shot.width // 8)


def full_range(luma: int) -> float:
    """How bright the luma of a video is on a screen."""
    return (luma - 16) * 255 / 219
