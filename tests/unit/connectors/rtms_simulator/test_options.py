"""What can be said on the command line: everything else is refused, with what was said and what is allowed."""

from pathlib import Path

import pytest

from connectors.rtms.simulator import options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--meetings", "0"), "--meetings: '0': expected `int` >= 1"),
        (("--seconds", "-3"), "--seconds: '-3': expected `int` >= 1"),
        (("--seed", "x"), "--seed: 'x': expected `int`"),
        (("--speed", "inf"), "--speed: 'inf': expected `float` <= 1000"),
        (("--keep-alive-s", "0"), "--keep-alive-s: '0': expected `float` > 0"),
        (("--audio-buffer-s", "nan"), "--audio-buffer-s: 'nan': expected `float` >= 0"),
        (("--scopes", "smell,audio"), "smell: scopes are from audio,video,share,captions,chat"),
        (("--scopes", ","), "none: scopes are from audio,video,share,captions,chat"),
        (("--faults", "{}"), "faults are a list"),
        (("--faults", "[" * 100_000), "nested too deeply"),
        (("--faults", '[{"kind": "move"}, {"kind": "binary", "at_s": 5}]'), "[2]: binary takes no 'at_s'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: tuple[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        options.parser().parse_args(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--cert", "a.pem"), ("--key", "a.key")])
def test_half_a_certificate_does_not_mean_plain_websockets(arguments: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="--cert and --key belong together"):
        options.tls_context(options.parser().parse_args(arguments), None)


def test_what_is_no_certificate_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.pem"
    said = options.parser().parse_args(["--cert", str(file), "--key", str(file)])
    with pytest.raises(ValueError, match="mine.pem.*No such file"):
        options.tls_context(said, None)
    file.write_text("no PEM")
    with pytest.raises(ValueError, match="mine.pem.*is no certificate with its key"):
        options.tls_context(said, None)


@pytest.mark.parametrize("arguments", [("--seconds", "20"), ("--seed", "2")])
def test_a_capture_is_as_long_as_it_is(arguments: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not for captures"):
        options.meeting_request(options.parser().parse_args(["--replay", "x.rtms.jsonl", *arguments]))
