"""WebVTT."""

from hypothesis import given
from hypothesis import strategies as st

from api.transcript_formats import Cue, web_vtt


def test_a_file():
    cues = [Cue(61_001, 63_500, "Ada <L>", "Hello & good\nday -->"), Cue(3_723_004, 3_724_000, None, "Bye")]
    assert web_vtt(cues, 1_000) == (
        "WEBVTT\n\n"
        "1\n00:01:00.001 --> 00:01:02.500\n<v Ada &lt;L&gt;>Hello &amp; good day --&gt;\n\n"
        "2\n01:02:02.004 --> 01:02:03.000\nBye\n"
    )


def test_what_was_said_before_the_recording_began_is_at_its_beginning():
    assert "00:00:00.000 --> 00:00:00.001" in web_vtt([Cue(5, 9, None, "x")], 1000)


def test_an_empty_transcript_is_a_file_too():
    assert web_vtt([], 0) == "WEBVTT\n"


@given(st.text(), st.text())
def test_no_text_breaks_out_of_its_cue(speaker, text):
    lines = web_vtt([Cue(0, 1000, speaker, text)], 0).split("\n")
    assert lines[:4] == ["WEBVTT", "", "1", "00:00:00.000 --> 00:00:01.000"]
    assert len(lines) == 6
    assert "-->" not in lines[4]
