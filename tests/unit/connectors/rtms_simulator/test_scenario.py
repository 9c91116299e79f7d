"""Scenario files: what can be written, and what cannot is refused with its line, its key and what is allowed."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.rtms.protocol.codes import Medium, StopReason, TextAttribute
from connectors.rtms.simulator import scenario_library
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.frames import CaptionFrame
from connectors.rtms.simulator.meeting import Meeting
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Duplicate
from connectors.rtms.simulator.scenario import BadScenario, read_file, read_scenario
from connectors.rtms.simulator.webhooks import Shape

WRITTEN = """\
about = "Everything."
product = "webinar"
seconds = 20
webhook_shape = "object"

[rules]
duplicate = "refuse"
scopes = ["audio", "chat"]
keep_alive_s = 3

[captions]
language = 14
delay_s = 1.5

[[people]]
name = "Ada"
id = 16778240
camera = [[0, 5], [9, 20]]

[[people]]
name = "Jun"
joins_s = 1
leaves_s = 19
camera = false

[[speech]]
who = "Jun"
at_s = 8
reading = "beckett"
first = 1
last = 2

[[speech]]
who = "Ada"
at_s = 2
last = 0

[[share]]
who = "Ada"
from_s = 3
to_s = 6

[[chat]]
who = "Jun"
at_s = 4
text = "Hello"

[[pictures]]
at_s = 10
width = 640
height = 360

[[faults]]
kind = "cut_media"
medium = "video"
at_s = 12
"""


def test_everything_that_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    file.write_text(WRITTEN)
    request = read_file(file)
    assert (request.product, request.seconds, request.webhook_shape) == ("webinar", 20, Shape.OBJECT)
    assert request.rules == {
        "duplicate": Duplicate.REFUSE,
        "offered": frozenset({Medium.AUDIO, Medium.CHAT}),
        "keep_alive_s": 3.0,
    }
    assert list(request.faults) == [Fault(kind=FaultKind.CUT_MEDIA, medium=Medium.VIDEO, at_s=12.0)]
    script = request.script
    assert script is not None
    ada, jun, beacon = script.cast
    assert (ada.user_id, ada.name, jun.name) == (16778240, "Ada", "Jun")
    assert [(turn.user_id, turn.start_ms, turn.text) for turn in script.turns] == [
        (ada.user_id, 2_000, "It was the best of times, it was the worst of times,"),
        (jun.user_id, 8_000, "Ever failed. No matter."),
    ]
    spans = {span.user_id: (span.start_ms, span.end_ms) for span in script.presences}
    assert spans == {ada.user_id: (0, 20_000), jun.user_id: (1_000, 19_000), beacon.user_id: (0, 20_000)}
    assert [(span.start_ms, span.end_ms) for span in script.cameras] == [(0, 5_000), (9_000, 20_000)]
    assert [(span.user_id, span.start_ms) for span in script.speakers] == [(ada.user_id, 0), (jun.user_id, 8_400)]
    captions = list(Meeting.of(request, tmp_path).of_medium(Medium.CAPTIONS))
    assert [(c.due_ms - c.end_ms, c.language) for c in captions] == [(1_500, 14)] * 3  # type: ignore[union-attr]


def test_the_same_in_json(tmp_path: Path) -> None:
    import tomllib

    toml, as_json = tmp_path / "a.toml", tmp_path / "a.json"
    toml.write_text(WRITTEN)
    as_json.write_text(json.dumps(tomllib.loads(WRITTEN)))
    assert read_file(toml) == read_file(as_json)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (('about = "Everything."', "colour = 3"), 1, r"colour: there is no such key; known here: about, product"),
        (('product = "webinar"', 'product = "fax"'), 2, r"product: .*'fax'; allowed: meeting, webinar, session"),
        (("seconds = 20", 'seconds = "x"'), 3, r"seconds: expected `int"),
        (("seconds = 20", "seconds = 0"), 3, r"seconds: a whole number above 0"),
        (('duplicate = "refuse"', 'duplicate = "both"'), 7, r"rules.duplicate: .*allowed: replace, refuse"),
        (('["audio", "chat"]', '["events"]'), 8, r"rules.scopes: scopes are from audio, video"),
        (('name = "Jun"', 'name = "Ada"'), 20, r"people\[2\]: there is somebody of that name"),
        (("leaves_s = 19", "leaves_s = 29"), 20, r"people\[2\]: 1 to 29 s lies not within the meeting of 20 s"),
        (("leaves_s = 19", "leaves_s = 9"), 26, r"speech\[1\]: 8 to 11.19 s, but Jun is there from 1 to 9 s"),
        (("[[0, 5], [9, 20]]", "3"), 18, r"people\[1\].camera: expected `bool \| array`"),
        (('who = "Jun"\nat_s = 8', 'who = "Eve"\nat_s = 8'), 27, r"speech\[1\].who: there is no 'Eve'; people here"),
        (('"beckett"', '"bible"'), 29, r"speech\[1\].reading: .*allowed: two_cities, beckett"),
        (("first = 1\nlast = 2", "first = 1\nlast = 6"), 26, r"speech\[1\]: beckett has phrases 0 to 5"),
        (("width = 640", "width = 641"), 48, r"pictures\[1\]: width and height are even"),
        (('kind = "cut_media"', 'kind = "cut_off"'), 54, r"faults\[1\].kind: .*'cut_off'; allowed: refuse_signalling"),
        (("at_s = 12", "at_s = nan"), 56, r"faults\[1\].at_s: expected `float` >= 0"),
        (("at_s = 12", "at_s = 12\ntimes = 2"), 53, r"faults\[1\]: cut_media takes no 'times'; it takes: medium, at_s"),
        (("keep_alive_s = 3", "keep_alive_s = 0"), 9, r"rules.keep_alive_s: expected `float` > 0"),
        (("joins_s = 1", "joins_s = inf"), 22, r"people\[2\].joins_s: expected `float` <= 172800"),
        (("[[0, 5], [9, 20]]", "[[0, nan]]"), 18, r"people\[1\].camera\[1\]\[2\]: expected `float` >= 0"),
        (("delay_s = 1.5", "delay_s = -1"), 13, r"captions.delay_s: expected `float` >= 0"),
        (("seconds = 20", "seconds = 1_000_000"), 3, r"seconds: at most 172800"),
        (("at_s = 12", 'at_s = 12\ncolour = "red"'), 57, r"faults\[1\].colour: there is no such key; known here: kind"),
        (("at_s = 12", "for_s = 1\nkind = 1"), None, r"at line 57"),
    ],
)  # fmt: skip
def test_errors_name_the_line_the_key_and_what_is_allowed(
    tmp_path: Path, change: tuple[str, str], line: int | None, words: str
) -> None:
    assert change[0] in WRITTEN
    file = tmp_path / "bad.toml"
    file.write_text(WRITTEN.replace(*change, 1))
    with pytest.raises(BadScenario) as error:
        read_file(file)
    text = str(error.value)
    assert text.startswith(f"{file}, line {line}: " if line else f"{file}: ")
    assert re.search(words, text), text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[speech]]\nwho = "Ada"\nat_s = 1\n', "needs [[people]]"),
        ('[[faults]]\nkind = "pause"\n', "pause needs a 'for_s'"),
        ('[[faults]]\nkind = "stop"\nstop_reason = "boredom"\n', "no such stop reason: boredom; allowed: 0 to 26, or"),
        ("seconds 3", "at line 1"),
        ("seconds = 3\n[captions]\nsent = false", "at least 10 seconds"),
        (
            "seconds = 20\n[[corrections]]\nat_s = 9\ncaption = 99",
            "4: corrections[1].caption: there are captions 0 to",
        ),
        (
            "seconds = 20\n[[corrections]]\nat_s = 0.1\ncaption = 0",
            "3: corrections[1].at_s: the caption is sent at ",
        ),
        ("captions.sent = false\n[[corrections]]\nat_s = 9\ncaption = 0", "there are no captions"),
    ],
)
def test_other_errors(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(BadScenario, match=re.escape(words)):
        read_file(file)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("latin.toml", 'about = "\xe9"'.encode("latin-1"), "no text in UTF-8"),
        ("picture.json", b"\x89PNG\r\n", "no text in UTF-8"),
        ("deep.json", b"[" * 100_000, "nested too deeply"),
        ("deep.toml", b"a = " + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(BadScenario, match=f"{re.escape(str(file))}.*{words}"):
        scenario_library.find(str(file))


def test_what_is_left_out_is_as_usual() -> None:
    usual = MeetingRequest(seed=7, seconds=33, faults=[Fault(kind=FaultKind.BINARY)], product="phone")
    assert read_scenario({}, usual) == usual
    changed = read_scenario({"seed": 2, "faults": []}, usual)
    assert (changed.seed, changed.seconds, list(changed.faults)) == (2, 33, [])


def test_every_scenario_of_the_library_can_be_read_and_says_what_it_is() -> None:
    for name in scenario_library.names():
        about = scenario_library.load(name).about
        assert about.endswith("."), name
        assert len(about) < 120, name
    assert scenario_library.listing().count("\n") == len(scenario_library.names()) - 1


def test_the_library_has_every_stop_reason_and_every_fault() -> None:
    requests = [scenario_library.load(name) for name in scenario_library.names()]
    faults = [fault for request in requests for fault in request.faults]
    assert {str(fault.stop_reason) for fault in faults if fault.kind is FaultKind.STOP} == {
        reason.name.lower() for reason in StopReason if reason
    }
    assert {fault.kind for fault in faults} == set(FaultKind)


def test_who_asks_for_what_is_not_there_is_told_what_is(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="there is no scenario 'nothing'; there are: .*server-moves"):
        scenario_library.find("nothing")
    with pytest.raises(BadScenario, match="No such file"):
        scenario_library.find(str(tmp_path / "none.toml"))


def test_the_example_in_the_documentation_can_be_played(tmp_path: Path) -> None:
    text = (Path(__file__).parents[4] / "docs" / "simulator.md").read_text()
    file = tmp_path / "mine.toml"
    file.write_text(text.partition("```toml\n")[2].partition("```")[0])
    request = read_file(file)
    assert request.script is not None
    assert (
        len(request.script.turns) == len(request.script.chat) == len(request.script.shares) == len(request.faults) == 1
    )


def test_zoom_changes_its_mind_about_captions(tmp_path: Path) -> None:
    """What it says then names the one it is about by who spoke, and when."""
    frames = list(Meeting.of(scenario_library.load("captions-corrected"), tmp_path).of_medium(Medium.CAPTIONS))
    captions = [frame for frame in frames if isinstance(frame, CaptionFrame)]
    assert [frame.attribute for frame in captions] == [None] * 4 + [TextAttribute.UPDATE, TextAttribute.DELETE]
    for later, first in zip(captions[4:], captions[1:3], strict=True):
        assert later == replace(first, due_ms=later.due_ms, attribute=later.attribute, text=later.text)
        assert later.due_ms > first.due_ms
    assert [frame.text for frame in captions[4:]] == ["it was the age of wisdom and of prudence,", ""]


def test_new_captions_may_say_that_they_are(tmp_path: Path) -> None:
    request = read_scenario({"seconds": 20, "captions": {"say_new": True}})
    frames = list(Meeting.of(request, tmp_path).of_medium(Medium.CAPTIONS))
    assert {frame.attribute for frame in frames if isinstance(frame, CaptionFrame)} == {TextAttribute.NEW}
