"""The frame: one group's failure is its own, and a Ctrl-C loses nothing that was complete."""

import json
import sys
from types import SimpleNamespace

import pytest

from deploy.local.signals import Interrupted
from tests.bench import __main__ as command
from tests.bench.rows import Row


def good(rounds, say):
    say(f"{rounds} rounds")
    return [Row(name="good row", unit="s", ours=1.0, goal=2.0)]


def broken(rounds, say):
    raise FileNotFoundError("no java: install [one]")


def interrupted(rounds, say):
    raise Interrupted


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """Run groups in place of the real ones; gives the exit code and what the file says."""

    def run(*measures):
        names = [f"group{number}" for number in range(len(measures))]
        for name, measure in zip(names, measures, strict=True):
            monkeypatch.setitem(sys.modules, f"tests.bench.{name}", SimpleNamespace(measure=measure))
        monkeypatch.setattr(command, "GROUPS", tuple(names))
        output = tmp_path / "build" / "bench.json"
        monkeypatch.setattr(sys, "argv", ["bench", "--rounds", "2", "--output", str(output)])
        code = command.main()
        return code, json.loads(output.read_text()) if output.exists() else None

    return run


def test_all_measured(bench, capsys):
    code, document = bench(good)
    assert code == 0
    assert [row["met"] for row in document["rows"]] == [True]
    assert document["machine"]["cores"] >= 1
    assert "2 rounds" in capsys.readouterr().out


def test_a_group_that_cannot_be_measured_says_why_and_the_next_is(bench, capsys):
    code, document = bench(broken, good)
    assert code == 1
    assert [(row["name"], row["met"]) for row in document["rows"]] == [("group0", None), ("good row", True)]
    assert "no java: install [one]" in capsys.readouterr().out


@pytest.mark.parametrize("rounds", ["0", "-1", "x"])
def test_no_rounds_are_refused(bench, monkeypatch, capsys, rounds):
    monkeypatch.setattr(sys, "argv", ["bench", "--rounds", rounds])
    with pytest.raises(SystemExit):
        command.main()
    assert "1 or more" in capsys.readouterr().err


def test_what_was_complete_is_shown_and_kept_when_interrupted(bench, capsys):
    code, document = bench(good, interrupted, good)
    assert code == command.INTERRUPTED
    assert [row["name"] for row in document["rows"]] == ["good row"]
    assert "good row" in capsys.readouterr().out
