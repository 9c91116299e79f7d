"""What is printed to play something again does play the same again."""

import shlex
from dataclasses import replace

import pytest

from tests.soak.options import Options, parsed
from tests.soak.plan import FULL, MOVEMENTS, SHORT


def replayed(options: Options) -> Options:
    [arguments] = shlex.split(options.command.removeprefix("make soak ARGS="))
    return parsed(shlex.split(arguments))


@pytest.mark.parametrize(
    "options",
    [
        Options(5, (20,)),
        Options(6, (40, 40, 40), SHORT, ("kills",)),
        Options(7, (60, 20), replace(FULL, kills=8), ("broker", "clickhouse+disk", "kills")),
        Options(8, (20, 30), replace(SHORT, kills=50, broker_away_s=(60.0, 1.5)), ("rolling",)),
        parsed(["--seed", "9", "--minutes", "2", "--meetings", "4", "--short"]),
    ],
)
def test_the_command_makes_the_same_of_it(options: Options) -> None:
    again = replayed(options)
    assert again == options
    assert again.disturbed() == options.disturbed()
    assert again.undisturbed() == options.undisturbed()


def test_without_arguments_it_is_what_is_promised() -> None:
    options = parsed([])
    assert options.lengths_s == (3600, *[360] * 9)
    assert (options.scale, options.movements) == (FULL, tuple(MOVEMENTS))


def test_short_is_short_in_every_way() -> None:
    assert parsed(["--short"]).scale == SHORT
    assert parsed(["--short", "--kills", "9"]).scale == replace(SHORT, kills=9)


def test_a_fault_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(["--only", "kills+floods"])
    assert "'floods' is none of kills" in capsys.readouterr().err


@pytest.mark.parametrize(
    "nothing", [["--meetings", "0"], ["--lengths", "20", "0"], ["--kills", "-1"], ["--meetings", "x"]]
)
def test_nothing_to_do_is_refused(nothing: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parsed(nothing)
    assert refused.value.code == 2
    assert "is not 1 or more" in capsys.readouterr().err
