"""Draws what a camera of the simulated meeting sees: name, initials, a running clock, a level meter and the flash.

A scene's still part is drawn once. What moves lies in a grey panel, where only brightness changes, so that a picture
costs a copy and a few small pastes: the live stack runs on the same two cores. Pillow draws; it is in the `local`
extra.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from connectors.rtms.simulator.people import Person

Plane = NDArray[np.uint8]

WIDTH, HEIGHT = 1280, 720
FLASH_MS = 80
"""How long the picture is white: two pictures at 25 a second."""

_PANEL_TOP = 600
_BLACK, _PANEL, _WHITE = 16, 40, 235
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")
_CLOCK_LEFT, _CLOCK_TOP, _CLOCK_SIZE = 860, 618, 64
_BARS, _BAR_WIDTH, _BAR_STEP = 32, 14, 22
_SWEEP_MS = 2_000


@dataclass(frozen=True, slots=True)
class Still:
    """The part of a scene that never moves: an I420 picture, `HEIGHT * 3 / 2` rows of `WIDTH`."""

    planes: Plane
    level_seed: int


@cache
def _font(size: int) -> Any:
    """A font of the machine that has accents; Pillow's own, which has none, where there is no other."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def font_name() -> str:
    """Which font is used: pictures of two machines may differ in it."""
    return " ".join(str(part) for part in _font(12).getname())


def _drawable(text: str) -> str:
    """`text`, without accents where the font has none."""
    if not font_name().startswith("Aileron"):
        return text
    plain = unicodedata.normalize("NFD", text).translate(str.maketrans("łŁ", "lL"))
    return "".join(letter if letter.isascii() else "" for letter in plain)


def _to_planes(image: Image.Image) -> Plane:
    frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    return np.asarray(frame.reformat(format="yuv420p").to_ndarray(), np.uint8)


def _canvas(colour: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A soft gradient with the grey panel at the bottom."""
    shade = np.linspace(1.15, 0.65, HEIGHT)[:, None, None] * np.array(colour)[None, None, :]
    pixels = np.broadcast_to(np.clip(shade, 0, 255), (HEIGHT, WIDTH, 3)).astype(np.uint8)
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, _PANEL_TOP, WIDTH, HEIGHT), fill=(28, 28, 28))
    return image, draw


def camera(person: Person) -> Still:
    """What that person's camera sees."""
    image, draw = _canvas(person.colour)
    draw.ellipse((500, 90, 780, 370), fill=(236, 236, 236))
    initials = "".join(word[0] for word in _drawable(person.name).split())[:2]
    draw.text((640, 232), initials, font=_font(120), fill=person.colour, anchor="mm")
    draw.text((640, 450), _drawable(person.name), font=_font(76), fill="white", anchor="mm")
    draw.text((640, 540), "simulated meeting", font=_font(30), fill=(215, 215, 215), anchor="mm")
    return Still(_to_planes(image), person.user_id)


def slide(number: int, lines: tuple[str, ...]) -> Still:
    """A shared page with some lines of text."""
    image, draw = _canvas((196, 192, 184))
    draw.text((80, 70), f"Slide {number}", font=_font(60), fill=(40, 40, 40))
    for row, line in enumerate(lines):
        draw.text((80, 190 + row * 78), _drawable(line), font=_font(38), fill=(60, 60, 60))
    return Still(_to_planes(image), number)


@cache
def _glyph(letter: str) -> Plane:
    """One character of the clock as brightness, all of one width."""
    width = _CLOCK_SIZE * (4 if letter.isdigit() else 2) // 6
    image = Image.new("L", (width, 84), _PANEL)
    ImageDraw.Draw(image).text((width // 2, 42), letter, font=_font(_CLOCK_SIZE), fill=_WHITE, anchor="mm")
    return np.asarray(image)


def clock_text(at_ms: int) -> str:
    """What the running clock shows: minutes, seconds, hundredths since the meeting's start."""
    return f"{at_ms // 60_000:02d}:{at_ms // 1000 % 60:02d}.{at_ms // 10 % 100:02d}"


def draw(still: Still, at_ms: int, *, flash: bool) -> Plane:
    """The I420 picture at that time of the meeting; all white in a flash."""
    if flash:
        return _flash()
    planes = still.planes.copy()
    brightness = planes[:HEIGHT]
    brightness[_PANEL_TOP:] = _PANEL
    left = _CLOCK_LEFT
    for letter in clock_text(at_ms):
        glyph = _glyph(letter)
        brightness[_CLOCK_TOP : _CLOCK_TOP + glyph.shape[0], left : left + glyph.shape[1]] = glyph
        left += glyph.shape[1]
    _draw_levels(brightness, still.level_seed, at_ms)
    brightness[HEIGHT - 8 :, : at_ms % _SWEEP_MS * WIDTH // _SWEEP_MS] = 180
    return planes


def _draw_levels(brightness: Plane, seed: int, at_ms: int) -> None:
    """Bars that dance like a level meter, so that pictures differ as those of a camera do."""
    noise = hashlib.blake2b(f"{seed}:{at_ms // 80}".encode(), digest_size=_BARS).digest()
    for index, value in enumerate(noise):
        height = 6 + value * 80 // 255
        left = 60 + index * _BAR_STEP
        brightness[700 - height : 700, left : left + _BAR_WIDTH] = 90 + value // 3


@cache
def _flash() -> Plane:
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    planes[:HEIGHT] = _WHITE
    return planes
