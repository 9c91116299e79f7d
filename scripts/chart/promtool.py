"""Prometheus' own program for rules: the one of this machine, Debian's, or one built from sources that are pinned.

It is in no package index, but Debian has it: its package is fetched and unpacked, not installed, in seconds and
without root. Where a current one is wanted, `make test-alerts` builds it: its sources are a Go module like any other;
modules/promtool pins all of them with their checksums. It is built without the discovery of targets, of which rules
know nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from scripts.chart.go import Program
from scripts.chart.tools import CACHE, Unavailable, made_once

PROMTOOL = Program("promtool", "github.com/prometheus/prometheus/cmd/promtool", ("-tags", "remove_all_sd"))
PACKAGED = CACHE / "debian-promtool" / "promtool"
_EXTRACT = ("dpkg-deb", "--extract")
_APT = ("apt-get", "-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", "-o", "Acquire::http::Timeout=20")
WITHIN_S = 120.0
"""How long all of apt may take: a network that swallows packets must not use up a test's time."""
_NEEDED = "lint-fatal"
"""An option that older ones do not know, as Ubuntu 22.04's; the newest call it --[no-]lint-fatal."""


def promtool() -> Path:
    """The newest one that can be had within seconds. Raises Unavailable."""
    found = shutil.which("promtool")
    if PROMTOOL.path.exists():
        return PROMTOOL.path
    if found is not None and _is_new_enough(found):
        return Path(found)
    try:
        made_once(PACKAGED.parent, _unpack_debians)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"promtool could not be fetched ({type(error).__name__}): make test-alerts") from error
    if not _is_new_enough(PACKAGED):
        raise Unavailable("promtool of this machine's distribution is too old: make test-alerts")
    return PACKAGED


def _is_new_enough(program: str | Path) -> bool:
    command = [program, "check", "rules", "--help"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError):  # another machine's
        return False
    return _NEEDED in told.stdout + told.stderr


def _unpack_debians(folder: Path) -> None:
    if shutil.which("apt-get") is None:
        raise Unavailable("no promtool for this machine: put Prometheus' promtool on the PATH, or make test-alerts")
    print("chart tools: promtool, of Debian's package prometheus", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="deb-", dir=CACHE) as work:
        subprocess.run([*_EXTRACT, str(_fetch(Path(work))), f"{work}/unpacked"], check=True)
        Path(work, "unpacked", "usr", "bin", "promtool").rename(folder / PACKAGED.name)


def _fetch(work: Path) -> Path:
    """Debian's package, whose signature apt checks; with lists of our own where the machine's are missing or old."""
    for name in ("lists", "cache"):
        (work / name).mkdir()
    own = ("-o", f"Dir::State::lists={work}/lists", "-o", f"Dir::Cache={work}/cache")
    until_s = monotonic() + WITHIN_S
    for command in (("download", "prometheus"), (*own, "update"), (*own, "download", "prometheus")):
        answer = subprocess.run(
            [*_APT, *command],
            cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=until_s - monotonic(),
        )  # fmt: skip
        if package := next(work.glob("prometheus_*.deb"), None):
            return package
    raise Unavailable(f"promtool could not be fetched: {answer.stderr.strip().rpartition(chr(10))[2]}")


if __name__ == "__main__":
    try:
        PROMTOOL.build()
    except Unavailable as missing:
        sys.exit(str(missing))
