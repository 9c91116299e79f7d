"""Whatever a machine lacks, the chart's tools are there at once or it is said that they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.chart import go, promtool, tools


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, empty; what is fetched would go into an empty cache."""
    folder, cache = tmp_path / "path", tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for module in (go, promtool, tools):
        monkeypatch.setattr(module, "CACHE", cache)
    monkeypatch.setattr(promtool, "PACKAGED", cache / "debian-promtool" / "promtool")
    return folder


def put(folder: Path, name: str, script: str) -> Path:
    """A program that does this."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return program


@pytest.mark.parametrize("option", ["--lint-fatal", "--[no-]lint-fatal"])
def test_the_machines_own_promtool_is_taken_when_it_is_new_enough(path: Path, option: str) -> None:
    own = put(path, "promtool", f"echo '{option}'")
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
    (tmp_path / "tools.lock").unlink()
    assert tools.ensure() == made
    assert list(tmp_path.iterdir()) == [made]


@pytest.fixture
def program(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> go.Program:
    """One whose sources are pinned somewhere; this machine has no wheel of Go."""
    monkeypatch.setattr(go, "MODULES", tmp_path / "modules")
    monkeypatch.setattr(go, "_WHEELS", ())
    (tmp_path / "modules" / "hello").mkdir(parents=True)
    (tmp_path / "modules" / "hello" / "go.mod").write_text("module programs")
    return go.Program("hello", "example.com/hello", ("-tags", "few"))


BUILDS = """
[ "$1" = env ] && echo VERSION && exit
/bin/mkdir -p "$GOCACHE" "$GOMODCACHE"
echo "$PWD $GOPROXY $*" >> "$0.log"
while [ "$1" != -o ]; do shift; done
echo "#!/bin/sh" > "$2"
"""


@pytest.mark.parametrize("version", ["go1.26.7", "go1.27rc1", "go1.30"])
def test_a_program_is_built_once_from_its_pinned_modules(
    path: Path, program: go.Program, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "http://mirror")
    own = put(path, "go", BUILDS.replace("VERSION", version))
    assert program.build().read_text() == "#!/bin/sh\n"
    assert program.build() == program.path
    (asked,) = own.with_name("go.log").read_text().splitlines()
    assert asked.startswith(f"{go.MODULES / 'hello'} http://mirror build -mod=readonly ")
    assert asked.endswith("/hello example.com/hello")
    assert "-tags few" in asked
    assert {one.name for one in go.CACHE.iterdir()} == {program.path.parent.name, "hello.lock"}


def test_other_sources_are_another_program(program: go.Program) -> None:
    before = program.path
    (go.MODULES / "hello" / "go.sum").write_text("other")
    assert program.path != before
    assert program._replace(options=()).path != program.path


@pytest.mark.parametrize("version", ["", "go1.26.6", "go1.9", "devel"])
def test_without_a_go_that_is_new_enough_it_is_said(path: Path, program: go.Program, version: str) -> None:
    if version:
        put(path, "go", BUILDS.replace("VERSION", version))
    with pytest.raises(go.NoGo, match="no Go for this machine: install Go 1.26.7"):
        program.build()


def test_what_cannot_be_built_leaves_nothing_and_says_why(path: Path, program: go.Program) -> None:
    put(path, "go", '[ "$1" = env ] && echo go1.27.0 && exit; echo noise >&2; echo no such module >&2; exit 1')
    with pytest.raises(tools.Unavailable, match="hello could not be built: no such module"):
        program.build()
    assert [one.name for one in go.CACHE.iterdir()] == ["hello.lock"]
