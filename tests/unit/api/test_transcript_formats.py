"""Cues as text: what is written is what a reader of the format reads."""

import html
import re
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from api.transcript_formats import (
    Cue,
    markdown_paragraph,
    one_line,
    plain_line,
    sub_rip_cue,
    web_vtt,
    web_vtt_piece,
)

HOSTILE = st.sampled_from(
    ["-->", "<v Eve>", "</v>", "&lt;", "\n\n", "\r", "\u2028", "\x00", "\x85", "\u202e", "\u2066", "\u200f", "NOTE",
     "1", "00:00:00.000 --> 00:00:01.000", "<script>", "{\\an8}", "{Y:b}", "**", "`", "[a](javascript:b)", "# ", "\\",
     "&", "<!--", "| a |", "~~", "WEBVTT", "STYLE", "\ufeff", ": "]
)  # fmt: skip
TEXT = st.lists(st.text(max_size=8) | HOSTILE, max_size=6).map("".join)
TIMES = st.integers(0, 10**9)
CUES = st.lists(st.builds(Cue, TIMES, TIMES, st.none() | TEXT, st.none() | TEXT), max_size=6)
ALOUD = st.lists(st.builds(Cue, TIMES, TIMES, st.none() | TEXT, TEXT.filter(one_line)), max_size=6)


class Read(NamedTuple):
    """What a reader of a file has of a cue."""

    number: int
    start_ms: int
    end_ms: int
    speaker: str
    text: str


def milliseconds(clock: str) -> int:
    hours, minutes, seconds, thousandths = map(int, re.split("[:.,]", clock))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def timing(line: str, point: str) -> tuple[int, int]:
    found = re.fullmatch(rf"(\d\d+:\d\d:\d\d{point}\d\d\d) --> (\d\d+:\d\d:\d\d{point}\d\d\d)", line)
    assert found, line
    return milliseconds(found[1]), milliseconds(found[2])


def read_web_vtt(text: str) -> list[Read]:
    """As the standard parses: blocks end at an empty line, `-->` makes a timing line, tags and entities are undone."""
    lines = re.split("\r\n|\r|\n", text.replace("\x00", "\ufffd"))
    assert lines[:2] == ["WEBVTT", ""]
    found, block = [], []
    for line in [*lines[2:], ""]:
        if line:
            block.append(line)
            continue
        if block:
            number, times, payload = block
            tag = re.match("<v ([^>]*)>", payload)
            said = payload[tag.end() :] if tag else payload
            assert not re.search("[<>]", said)
            speaker = html.unescape(tag[1]) if tag else ""
            found.append(Read(int(number), *timing(times, r"\."), speaker, html.unescape(said)))
        block = []
    return found


def read_sub_rip(text: str) -> list[Read]:
    """Three lines and an empty one for each; who speaks is not told apart from what is said."""
    assert text == "" or text.endswith("\n\n")
    found = []
    for block in text.split("\n\n")[:-1]:
        number, times, payload = re.split("\r\n|\r|\n", block)
        found.append(Read(int(number), *timing(times, ","), "", payload))
    return found


def expected(cues: list[Cue], origin_ms: int) -> list[Read]:
    aloud = [cue for cue in cues if one_line(cue.text or "")]
    starts = [max(0, cue.start_ms - origin_ms) for cue in aloud]
    return [
        Read(
            number, start, max(start + 1, cue.end_ms - origin_ms), one_line(cue.speaker or ""), one_line(cue.text or "")
        )
        for number, (start, cue) in enumerate(zip(starts, aloud, strict=True), start=1)
    ]


def written(render, cues, origin_ms=0):
    parts = []
    for cue in cues:
        if part := render(len(parts) + 1, cue, origin_ms):
            parts.append(part)
    return "".join(parts)


@given(CUES, TIMES)
def test_web_vtt_reads_back_as_the_same_cues(cues, origin_ms):
    assert read_web_vtt(web_vtt(cues, origin_ms)) == expected(cues, origin_ms)


LOOKALIKES = str.maketrans("<>{}", "\u2039\u203a()")


@given(CUES, TIMES)
def test_sub_rip_reads_back_as_the_same_cues(cues, origin_ms):
    found = read_sub_rip(written(sub_rip_cue, cues, origin_ms))
    assert found == [
        wanted._replace(
            speaker="",
            text=(f"{wanted.speaker}: {wanted.text}" if wanted.speaker else wanted.text).translate(LOOKALIKES),
        )
        for wanted in expected(cues, origin_ms)
    ]
    for read in found:
        assert not re.search("[<>{}]", read.text), "players take these for tags and styles"


@given(ALOUD)
def test_plain_text_is_a_line_for_each(cues):
    lines = written(plain_line, cues).split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(cues)
    for line, cue in zip(lines, cues, strict=True):
        speaker = one_line(cue.speaker or "")
        assert re.sub(r"^\[\d\d+:\d\d:\d\d\] ", "", line) == (f"{speaker}: " if speaker else "") + one_line(cue.text)
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)


MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


MARKUP = ["*a*", "_a_", "**a**", "`a`", "<b>", "<http://a>", "[a](http://a)", "![a](http://a)", "~~a~~", "&lt;",
          "a\\\\", "# a", "- a", "1. a", "> a", "| a |", "***", "<!-- a -->"]  # fmt: skip


@given(ALOUD)
@example([Cue(0, 1, speaker, text) for speaker in [None, *MARKUP] for text in MARKUP])
def test_markdown_shows_what_was_said_and_nothing_of_it_is_markup(cues):
    rendered = MARKDOWN.parse(written(markdown_paragraph, cues))
    assert {token.type for token in rendered} <= {"paragraph_open", "inline", "paragraph_close"}
    paragraphs = [token for token in rendered if token.type == "inline"]
    assert len(paragraphs) == len(cues)
    for paragraph, cue in zip(paragraphs, cues, strict=True):
        speaker = one_line(cue.speaker or "")
        kinds = [token.type for token in paragraph.children if token.type not in ("text", "text_special")]
        assert kinds == ["code_inline", *(["strong_open", "strong_close"] if speaker else [])]
        shown = "".join(token.content for token in paragraph.children if token.type != "code_inline")
        assert shown == " " + (f"{speaker}: " if speaker else "") + one_line(cue.text)


def test_a_file():
    cues = [Cue(61_001, 63_500, "Ada <L>", "Hello & good\nday -->"), Cue(3_723_004, 3_724_000, None, "Bye")]
    assert web_vtt(cues, 1_000) == (
        "WEBVTT\n\n"
        "1\n00:01:00.001 --> 00:01:02.500\n<v Ada &lt;L&gt;>Hello &amp; good day --&gt;\n\n"
        "2\n01:02:02.004 --> 01:02:03.000\nBye\n"
    )
    assert written(sub_rip_cue, cues, 1_000) == (
        "1\n00:01:00,001 --> 00:01:02,500\nAda \u2039L\u203a: Hello & good day --\u203a\n\n"
        "2\n01:02:02,004 --> 01:02:03,000\nBye\n\n"
    )
    assert written(plain_line, cues, 1_000) == "[00:01:00] Ada <L>: Hello & good day -->\n[01:02:02] Bye\n"
    assert written(markdown_paragraph, cues, 1_000) == (
        "\n`00:01:00` **Ada \\<L\\>:** Hello \\& good day --\\>\n\n`01:02:02` Bye\n"
    )


def test_the_piece_for_a_segment_says_where_it_is_and_numbers_nothing():
    said = Cue(61_001, 63_500, "Ada", "1")
    assert web_vtt_piece([said, Cue(62_000, 62_500, None, None)], 1_000, 61_000) == (
        "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:01:00.000,MPEGTS:5400000\n\n00:01:00.001 --> 00:01:02.500\n<v Ada>1\n"
    )
    assert web_vtt_piece([], 1_000, 1_000) == "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n"


@given(ALOUD, TIMES, TIMES)
def test_pieces_say_of_every_cue_what_the_whole_says(cues, origin_ms, from_ms):
    whole, piece = web_vtt(cues, origin_ms), web_vtt_piece(cues, origin_ms, from_ms)
    blocks = re.sub("(?m)^X-TIMESTAMP-MAP=.*\n", "", piece).split("\n\n")
    assert blocks == [re.sub(r"\A\d+\n", "", block) for block in whole.split("\n\n")]


def test_people_who_speak_at_once_keep_their_times():
    cues = [Cue(0, 5_000, "Ada", "I think"), Cue(1_000, 2_000, "Bob", "no")]
    assert [(read.start_ms, read.end_ms) for read in read_web_vtt(web_vtt(cues, 0))] == [(0, 5_000), (1_000, 2_000)]
    assert [(read.start_ms, read.end_ms) for read in read_sub_rip(written(sub_rip_cue, cues))] == [
        (0, 5_000), (1_000, 2_000),
    ]  # fmt: skip


def test_what_was_said_before_the_recording_began_is_at_its_beginning():
    assert "00:00:00.000 --> 00:00:00.001" in web_vtt([Cue(5, 9, None, "x")], 1000)


def test_an_empty_transcript_is_a_file_too():
    assert web_vtt([], 0) == "WEBVTT\n"


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "\u202e", None])
def test_what_has_no_words_is_no_subtitle(text):
    said = Cue(0, 1, "Ada", "x")
    assert web_vtt([Cue(0, 1, "Ada", text), said], 0) == web_vtt([said], 0)
    assert written(sub_rip_cue, [Cue(0, 1, "Ada", text), said]) == written(sub_rip_cue, [said])


def test_what_nobody_could_make_out_is_said_to_be_missing_where_people_read():
    lost = Cue(1_000, 2_000, "Ada", None)
    assert plain_line(1, lost, 0) == "[00:00:01] Ada: [not transcribed]\n"
    assert markdown_paragraph(1, lost, 0) == "\n`00:00:01` **Ada:** *not transcribed*\n"


def test_marks_of_right_to_left_text_stay_and_switches_go():
    assert one_line("\u200f\u202eשלום\u2066 a\u2069") == "\u200fשלום a"


def test_a_megabyte_is_one_line():
    text = "<b>&\n" * 200_000
    assert web_vtt([Cue(0, 1, None, text)], 0).count("\n") == 5
    assert html.unescape(web_vtt([Cue(0, 1, None, text)], 0).split("\n")[4]) == one_line(text)
