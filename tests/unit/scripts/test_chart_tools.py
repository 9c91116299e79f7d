"""Whatever a machine lacks, the chart's tools are there at once or it is said that they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.chart import promtool, tools

KNOWS = "echo --lint-fatal"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, empty; what is fetched would go into an empty cache."""
    folder, cache = tmp_path / "path", tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(promtool, "CACHE", cache)
    monkeypatch.setattr(promtool, "PACKAGED", cache / "packaged")
    return folder


def put(folder: Path, name: str, script: str) -> Path:
    """A program that does this."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return program


def test_the_machines_own_promtool_is_taken_when_it_is_new_enough(path: Path) -> None:
    own = put(path, "promtool", KNOWS)
    assert promtool.promtool() == own


def test_an_old_one_is_none(path: Path) -> None:
    put(path, "promtool", "echo usage")
    with pytest.raises(tools.Unavailable, match="no promtool for this machine"):
        promtool.promtool()


def test_an_old_package_is_none_either(path: Path) -> None:
    put(path, "apt-get", "/bin/echo > prometheus_2.31_amd64.deb")
    put(path, "dpkg-deb", '/bin/mkdir -p "$3/usr/bin"; /bin/cp "$0" "$3/usr/bin/promtool"')
    with pytest.raises(tools.Unavailable, match="too old"):
        promtool.promtool()


@pytest.mark.parametrize(
    "script",
    ["exec /bin/sleep 60", "echo 'no such package' >&2; exit 100", "/bin/echo > prometheus_2.53_amd64.deb"],
    ids=["hangs", "fails", "no dpkg-deb"],
)
def test_apt_that_is_of_no_use_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    put(path, "apt-get", script)
    monkeypatch.setattr(promtool, "WITHIN_S", 0.2 if "sleep" in script else 60.0)
    with pytest.raises(tools.Unavailable, match="could not be fetched"):
        promtool.promtool()
    assert not list(promtool.CACHE.glob("deb-*"))


def test_a_cache_that_cannot_be_written_to(path: Path) -> None:
    put(path, "apt-get", "exit 1")
    promtool.CACHE.write_text("no folder")
    with pytest.raises(tools.Unavailable, match="could not be fetched"):
        promtool.promtool()


def test_what_is_there_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "CACHE", tmp_path)
    monkeypatch.setattr(tools, "_make", lambda folder: (folder / "made").write_text(""))
    made = tools.ensure()
    (tmp_path / "lock").unlink()
    assert tools.ensure() == made
    assert not (tmp_path / "lock").exists()
