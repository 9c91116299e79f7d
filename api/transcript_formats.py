"""Cues as text, one at a time: WebVTT, SubRip, plain lines and Markdown. Pure.

What somebody said, or is called, may hold anything. It becomes one line that a reader of the format takes for nothing
but text: it can end no cue, begin none, and be no tag, link or heading. What has no words left is no cue.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

NOT_TRANSCRIBED = "[not transcribed]"

WEB_VTT_HEAD = "WEBVTT\n"
_TICKS_PER_MS = 90
"""Of the clock of MPEG-2, in which HLS tells the times of media."""

# Directions that are switched on and never off would turn around what follows; the mere marks of right-to-left text
# (U+200E, U+200F, U+061C) turn nothing around and stay.
_SWITCHES = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")

_WEB_VTT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# SubRip knows no escapes, but its players know tags and styles in braces: there are others that look like them.
_SUB_RIP = str.maketrans({"<": "\u2039", ">": "\u203a", "{": "(", "}": ")"})
_MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>&~|$"})


class Cue(NamedTuple):
    """Something said, from `start_ms` to `end_ms` on one clock; `speaker` is None where nobody knows.

    `text` is None where nobody could make out the words.
    """

    start_ms: int
    end_ms: int
    speaker: str | None
    text: str | None


Render = Callable[[int, Cue, int], str]
"""A cue, the how manieth it is and what time 0 is, as text; empty where it has no words."""


def one_line(text: str) -> str:
    """`text` without line ends, controls and switches of direction; words are one space apart."""
    return " ".join(_CONTROLS.sub(" ", _SWITCHES.sub("", text)).split())


def in_markdown(line: str) -> str:
    """A line that Markdown shows as it is."""
    return line.translate(_MARKDOWN)


def web_vtt(cues: Iterable[Cue], origin_ms: int) -> str:
    """A WebVTT file whose time 0 is `origin_ms`; what was said before that is put at its beginning."""
    blocks, number = [WEB_VTT_HEAD], 1
    for cue in cues:
        if block := web_vtt_cue(number, cue, origin_ms):
            blocks.append(block)
            number += 1
    return "".join(blocks)


def web_vtt_piece(cues: Iterable[Cue], origin_ms: int, from_ms: int) -> str:
    """The WebVTT file for the segment of an HLS recording that begins at `from_ms`; `origin_ms` is time 0 of both.

    It says of that moment how cues and media count it: not all players take 0 for 0 where nothing is said. Cues have no
    numbers, for players take two of one number, of whatever files, for the same.
    """
    offset_ms = max(0, from_ms - origin_ms)
    clocks = f"LOCAL:{_clock(offset_ms, '.')},MPEGTS:{offset_ms * _TICKS_PER_MS}"
    return "".join([f"{WEB_VTT_HEAD}X-TIMESTAMP-MAP={clocks}\n", *(_web_vtt_block("", cue, origin_ms) for cue in cues)])


def web_vtt_cue(number: int, cue: Cue, origin_ms: int) -> str:
    """A `Render`, after `WEB_VTT_HEAD`."""
    return _web_vtt_block(f"{number}\n", cue, origin_ms)


def _web_vtt_block(name: str, cue: Cue, origin_ms: int) -> str:
    if not (text := one_line(cue.text or "")):
        return ""
    speaker = one_line(cue.speaker or "")
    voice = f"<v {speaker.translate(_WEB_VTT)}>" if speaker else ""
    start, end = _span(cue, origin_ms)
    return f"\n{name}{_clock(start, '.')} --> {_clock(end, '.')}\n{voice}{text.translate(_WEB_VTT)}\n"


def sub_rip_cue(number: int, cue: Cue, origin_ms: int) -> str:
    """A `Render` of the format that is known as SRT."""
    if not (text := one_line(cue.text or "")):
        return ""
    start, end = _span(cue, origin_ms)
    said = f"{_said_by(cue)}{text}".translate(_SUB_RIP)
    return f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{said}\n\n"


def plain_line(_number: int, cue: Cue, origin_ms: int) -> str:
    """A `Render`: a line for a cue."""
    text = NOT_TRANSCRIBED if cue.text is None else one_line(cue.text)
    return f"[{_moment(cue, origin_ms)}] {_said_by(cue)}{text}\n" if text else ""


def markdown_paragraph(_number: int, cue: Cue, origin_ms: int) -> str:
    """A `Render`: a paragraph for a cue, in CommonMark."""
    text = f"*{NOT_TRANSCRIBED[1:-1]}*" if cue.text is None else in_markdown(one_line(cue.text))
    speaker = f"**{in_markdown(said_by.strip())}** " if (said_by := _said_by(cue)) else ""
    return f"\n`{_moment(cue, origin_ms)}` {speaker}{text}\n" if text else ""


def _said_by(cue: Cue) -> str:
    speaker = one_line(cue.speaker or "")
    return f"{speaker}: " if speaker else ""


def _span(cue: Cue, origin_ms: int) -> tuple[int, int]:
    start_ms = max(0, cue.start_ms - origin_ms)
    return start_ms, max(start_ms + 1, cue.end_ms - origin_ms)


def _moment(cue: Cue, origin_ms: int) -> str:
    return _clock(max(0, cue.start_ms - origin_ms), ".").partition(".")[0]


def _clock(offset_ms: int, point: str) -> str:
    seconds, milliseconds = divmod(offset_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{milliseconds:03}"
