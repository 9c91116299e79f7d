"""Transcripts as text files. Pure."""

from collections.abc import Iterable
from typing import NamedTuple


class Cue(NamedTuple):
    """Something said, from `start_ms` to `end_ms` on one clock; `speaker` is None where nobody knows."""

    start_ms: int
    end_ms: int
    speaker: str | None
    text: str


def web_vtt(cues: Iterable[Cue], origin_ms: int) -> str:
    """A WebVTT file whose time 0 is `origin_ms`; what was said before that is put at its beginning."""
    blocks = ["WEBVTT"]
    for number, cue in enumerate(cues, start=1):
        start_ms = max(0, cue.start_ms - origin_ms)
        end_ms = max(start_ms + 1, cue.end_ms - origin_ms)
        voice = f"<v {_line(cue.speaker)}>" if cue.speaker and cue.speaker.strip() else ""
        blocks.append(f"{number}\n{_time(start_ms)} --> {_time(end_ms)}\n{voice}{_line(cue.text)}")
    return "\n\n".join(blocks) + "\n"


def _time(offset_ms: int) -> str:
    seconds, milliseconds = divmod(offset_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def _line(text: str) -> str:
    """One line that a parser reads as nothing but text: an empty line would end the cue, `-->` would begin one."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
